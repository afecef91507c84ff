using System.Globalization;
using Google.Rpc;
using Grpc.Core;
using Microsoft.AspNetCore.Http;
using Vibe.Rpc.Json;

namespace Vibe.Rpc.Calls;

/// <summary>What the runtime itself refuses. Each error carries an ErrorInfo of the domain <see cref="Domain"/>.</summary>
internal static class WireErrors
{
    /// <summary>The domain of the runtime's own reasons.</summary>
    public const string Domain = "rpc.vibe.dev";

    // grpc/doc/statuscodes.md: a request cardinality violation is UNIMPLEMENTED.
    public static RpcException WrongMessageCount(string received) =>
        Create(StatusCode.Unimplemented, "MESSAGE_COUNT", $"The method takes exactly one request message; {received} arrived.");

    public static RpcException MessageTooLarge(int limit) => TooLarge("MESSAGE_TOO_LARGE", "A request message", limit);

    public static RpcException ResponseTooLarge(int limit) => TooLarge("RESPONSE_TOO_LARGE", "The response message", limit);

    public static RpcException TooManyLargeRequests() => RpcErrors.Create(
        StatusCode.ResourceExhausted, "Too many large requests are served at once; try again.", "LARGE_REQUESTS", Domain, [],
        new Google.Rpc.RetryInfo { RetryDelay = Google.Protobuf.WellKnownTypes.Duration.FromTimeSpan(TimeSpan.FromSeconds(1)) });

    /// <summary>A request whose HTTP was malformed, too large or too slow for Kestrel.</summary>
    public static RpcException MalformedHttp(BadHttpRequestException exception) => exception.StatusCode switch
    {
        StatusCodes.Status413PayloadTooLarge => Create(StatusCode.ResourceExhausted, "REQUEST_TOO_LARGE", "The request is too large."),
        StatusCodes.Status408RequestTimeout => Create(StatusCode.ResourceExhausted, "REQUEST_TOO_SLOW", "The request arrived too slowly."),
        _ => Create(StatusCode.InvalidArgument, "MALFORMED_REQUEST", "The HTTP request is malformed."),
    };

    /// <summary>Bytes that are no message of the method's type. INVALID_ARGUMENT in every protocol and codec: the sender can mend it.</summary>
    public static RpcException MalformedMessage(string description) => Create(StatusCode.InvalidArgument, "MALFORMED_MESSAGE", description);

    /// <summary>JSON that is no message of the method's type.</summary>
    public static RpcException MalformedJson(JsonCodecException exception)
    {
        var violation = RpcErrors.Violation(exception.FieldPath, exception.Problem);
        violation.Reason = exception.Reason;
        return RpcErrors.Create(
            StatusCode.InvalidArgument,
            exception.Message,
            exception.Reason,
            Domain,
            null,
            new BadRequest { FieldViolations = { violation } });
    }

    public static RpcException MalformedHeader(string name) =>
        Create(StatusCode.InvalidArgument, "MALFORMED_HEADER", $"The header {name} is malformed.", ("header", name));

    /// <summary>A broken envelope or compression: grpc/doc/statuscodes.md has INTERNAL for framing that the peer got wrong.</summary>
    public static RpcException MalformedFraming(string description) => Create(StatusCode.Internal, "MALFORMED_FRAMING", description);

    public static RpcException UnknownEncoding(string encoding) => Create(
        StatusCode.Unimplemented, "UNKNOWN_ENCODING", $"The compression \"{encoding}\" is not supported; use gzip or identity.");

    /// <summary>
    /// A handler failed in a way nobody foresaw. Exception texts tell strangers about the inside, so <paramref name="detail"/> is
    /// null unless the options say otherwise.
    /// </summary>
    public static RpcException Unexpected(string? detail, string requestId) => RpcErrors.Create(
        StatusCode.Internal,
        detail ?? "The server made a mistake. Quote the request id when you report it.",
        "INTERNAL",
        Domain,
        [KeyValuePair.Create("requestId", requestId)],
        new RequestInfo { RequestId = requestId });

    /// <summary>The deadline passed, or the server stops.</summary>
    public static RpcException Stopped(StopCause cause) => Create(
        CallStop.StatusOf(cause).StatusCode,
        cause == StopCause.Drained ? "SHUTTING_DOWN" : "DEADLINE_EXCEEDED",
        CallStop.StatusOf(cause).Detail);

    private static RpcException TooLarge(string reason, string what, int limit) => Create(
        StatusCode.ResourceExhausted,
        reason,
        string.Create(CultureInfo.InvariantCulture, $"{what} is larger than {limit} bytes."),
        ("limitBytes", limit.ToString(CultureInfo.InvariantCulture)));

    private static RpcException Create(
        StatusCode code, string reason, string message, params IEnumerable<(string Key, string Value)> metadata) =>
        RpcErrors.Create(code, message, reason, Domain, metadata.Select(pair => KeyValuePair.Create(pair.Key, pair.Value)));
}
