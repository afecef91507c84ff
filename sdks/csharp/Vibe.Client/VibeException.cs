using System.Collections.ObjectModel;
using Google.Protobuf.WellKnownTypes;
using Google.Rpc;
using Grpc.Core;
using Vibe.Client.Calls;
using Vibe.Errors.V1;
using Vibe.Rpc;
using Status = Grpc.Core.Status;

namespace Vibe.Client;

/// <summary>A field of a request that breaks a rule.</summary>
/// <param name="Field">The path of the field, for example <c>document.data</c>.</param>
/// <param name="Description">What is wrong, in English.</param>
public sealed record FieldViolation(string Field, string Description);

/// <summary>
/// A call that failed. Act on <see cref="Reason"/>; show people your own words. A call that the caller cancelled throws
/// <see cref="OperationCanceledException"/> instead.
/// </summary>
public sealed class VibeException : RpcException
{
    /// <summary>The reason of a call that got no answer: the connection failed, or something in between answered.</summary>
    public const string Unreachable = "UNREACHABLE";

    private static readonly ReadOnlyDictionary<string, string> NoMetadata = new(new Dictionary<string, string>(StringComparer.Ordinal));

    /// <summary>A failure.</summary>
    /// <param name="code">The canonical code; not OK.</param>
    /// <param name="reason">Why, as <c>UPPER_SNAKE_CASE</c>.</param>
    /// <param name="message">A text for developers, in English.</param>
    public VibeException(StatusCode code, string reason, string message)
        : this(new Status(code, message), Grpc.Core.Metadata.Empty, reason, message)
    {
    }

    private VibeException(Status status, Grpc.Core.Metadata trailers, string reason, string message)
        : base(status, trailers, message.Length > 0 ? message : reason)
    {
        Reason = reason;
    }

    /// <summary>
    /// Why: a name of <see cref="ErrorReason"/> as it is on the wire, for example <c>ETAG_MISMATCH</c>; one of the runtime's
    /// (docs/protocol.md, "Errors"); one of a newer server; or <see cref="Unreachable"/>.
    /// </summary>
    public string Reason { get; }

    /// <summary>The facts of the message, for programs.</summary>
    public IReadOnlyDictionary<string, string> Metadata { get; private init; } = NoMetadata;

    /// <summary>Which fields of the request break a rule; empty for other failures.</summary>
    public IReadOnlyList<FieldViolation> Fields { get; private init; } = [];

    /// <summary>When to try again, counted from the answer; null when the server does not say.</summary>
    public TimeSpan? RetryAfter { get; private init; }

    /// <summary>Whether the same call, sent again later, may succeed.</summary>
    public bool IsTransient => StatusCode == StatusCode.Unavailable || Reason is "WRITE_CONFLICT" or "REPLICA_BEHIND"
        || (StatusCode == StatusCode.ResourceExhausted && RetryAfter is not null);

    /// <summary>Whether the session is over: no call succeeds before somebody signs in again.</summary>
    public bool EndsSession => Reason is "TOKEN_REVOKED" or "TOKEN_INVALID" or "TOKEN_REQUIRED" or "ACCOUNT_DISABLED";

    // Refused before anything was done: the same call may succeed with another token, or a proof by a clock that was set right.
    internal bool WantsOtherToken => Reason is "TOKEN_EXPIRED" or "PROOF_INVALID";

    // The database was restored: the write that the consistency token names may not be there.
    internal bool ForgetsConsistency => Reason is "CONSISTENCY_TOKEN_EXPIRED" or "CONSISTENCY_TOKEN_INVALID";

    /// <summary>Whether the call failed for this reason.</summary>
    /// <param name="reason">The reason.</param>
    public bool Is(ErrorReason reason) => Reason == ReasonNames.Of(reason);

    /// <summary>What a failed call of a generated client says.</summary>
    /// <param name="exception">The failed call.</param>
    public static VibeException From(RpcException exception)
    {
        ArgumentNullException.ThrowIfNull(exception);
        if (exception is VibeException known)
        {
            return known;
        }

        var status = exception.GetRpcStatus();
        var info = status?.GetDetail<ErrorInfo>();
        var code = exception.StatusCode;
        var isUnreachable = info is null
            && code is (StatusCode.Unavailable or StatusCode.Unknown or StatusCode.Internal or StatusCode.Aborted);
        code = isUnreachable ? StatusCode.Unavailable : code;
        var reason = info?.Reason ?? (isUnreachable ? Unreachable : ReasonNames.Of(code));
        return new VibeException(new Status(code, exception.Status.Detail, exception), exception.Trailers, reason, exception.Status.Detail)
        {
            Metadata = info is null ? NoMetadata : new Dictionary<string, string>(info.Metadata, StringComparer.Ordinal),
            Fields = [.. status?.GetDetail<BadRequest>()?.FieldViolations.Select(static field => new FieldViolation(field.Field, field.Description)) ?? []],
            RetryAfter = status?.GetDetail<RetryInfo>()?.RetryDelay is { } delay ? PauseOf(delay) : null,
        };
    }

    internal static VibeException InvalidArgument(string field, string description) =>
        new(StatusCode.InvalidArgument, "INVALID_ARGUMENT", $"{field}: {description}") { Fields = [new FieldViolation(field, description)] };

    internal static VibeException OfNetwork(string message, Exception? cause = null) =>
        new(new Status(StatusCode.Unavailable, message, cause), Grpc.Core.Metadata.Empty, Unreachable, message);

    internal static VibeException Of(StatusCode code, string reason, string message, IEnumerable<KeyValuePair<string, string>> metadata) =>
        new(code, reason, message) { Metadata = new Dictionary<string, string>(metadata, StringComparer.Ordinal) };

    // In whole milliseconds, rounded up: a pause that is over too early only brings the same answer.
    private static TimeSpan PauseOf(Duration delay) =>
        TimeSpan.FromMilliseconds(Math.Max(0, delay.Seconds) * 1000 + (Math.Max(0, delay.Nanos) + 999_999) / 1_000_000);
}
