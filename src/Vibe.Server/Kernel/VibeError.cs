using Google.Protobuf;
using Google.Rpc;
using Grpc.Core;
using Vibe.Errors.V1;
using Vibe.Rpc;

namespace Vibe.Server.Kernel;

/// <summary>
/// Builds the errors a client sees: a canonical status with exactly one <see cref="ErrorInfo"/> (AIP-193). Features
/// name their failures in their own <c>*Errors</c> class on top of this.
/// </summary>
internal static class VibeError
{
    /// <summary>Who defines the reasons.</summary>
    public const string Domain = "vibe.dev";

    /// <summary>An error with a reason. Every variable of the message also stands in the metadata.</summary>
    public static RpcException Create(
        StatusCode code, ErrorReason reason, string message, params ReadOnlySpan<(string Key, string Value)> metadata) =>
        Create(code, reason, message, metadata, detail: null);

    /// <summary>The same with one more detail, for example a <see cref="RetryInfo"/>.</summary>
    public static RpcException Create(
        StatusCode code, ErrorReason reason, string message, ReadOnlySpan<(string Key, string Value)> metadata, IMessage? detail)
    {
        var info = new ErrorInfo { Reason = NameOf(reason), Domain = Domain };
        foreach (var (key, value) in metadata)
        {
            info.Metadata.Add(key, value);
        }

        return detail is null ? RpcErrors.Create(code, message, info) : RpcErrors.Create(code, message, info, detail);
    }

    /// <summary>INVALID_ARGUMENT for one field of the request, named as JSON names it.</summary>
    public static RpcException InvalidField(string field, string description, string rule) =>
        InvalidFields([new BadRequest.Types.FieldViolation { Field = field, Description = description, Reason = rule }]);

    /// <summary>INVALID_ARGUMENT for several fields of the request.</summary>
    public static RpcException InvalidFields(IReadOnlyCollection<BadRequest.Types.FieldViolation> violations)
    {
        var first = violations.First();
        var message = violations.Count == 1
            ? $"{first.Field}: {first.Description}"
            : $"{violations.Count} fields are not valid; the first is {first.Field}: {first.Description}";
        return Create(
            StatusCode.InvalidArgument, ErrorReason.InvalidArgument, message, [], new BadRequest { FieldViolations = { violations } });
    }

    /// <summary>The reason as it stands on the wire: UPPER_SNAKE_CASE without the enum's prefix.</summary>
    public static string NameOf(ErrorReason reason) => Names[reason];

    private static readonly Dictionary<ErrorReason, string> Names = ErrorReasonReflection.Descriptor
        .FindTypeByName<Google.Protobuf.Reflection.EnumDescriptor>(nameof(ErrorReason)).Values
        .ToDictionary(value => (ErrorReason)value.Number, value => value.Name["ERROR_REASON_".Length..]);
}
