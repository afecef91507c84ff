using System.Globalization;
using Google.Protobuf;
using Google.Protobuf.WellKnownTypes;
using Google.Rpc;
using Grpc.Core;
using Vibe.Rpc.Wire;

namespace Vibe.Rpc.Calls;

/// <summary>What the runtime itself refuses. Each error carries an ErrorInfo of the domain <see cref="Domain"/>.</summary>
internal static class WireErrors
{
    /// <summary>The domain of the runtime's own reasons.</summary>
    public const string Domain = "rpc.vibe.dev";

    // grpc/doc/statuscodes.md: a request cardinality violation is UNIMPLEMENTED.
    public static RpcException WrongMessageCount(string received) =>
        Create(StatusCode.Unimplemented, "MESSAGE_COUNT", $"The method takes exactly one request message; {received} arrived.");

    public static RpcException MessageTooLarge(int limit) => Create(
        StatusCode.ResourceExhausted,
        "MESSAGE_TOO_LARGE",
        string.Create(CultureInfo.InvariantCulture, $"A request message is larger than {limit} bytes."),
        ("limitBytes", limit.ToString(CultureInfo.InvariantCulture)));

    public static RpcException ResponseTooLarge(int limit) => Create(
        StatusCode.ResourceExhausted,
        "RESPONSE_TOO_LARGE",
        string.Create(CultureInfo.InvariantCulture, $"The response message is larger than {limit} bytes."),
        ("limitBytes", limit.ToString(CultureInfo.InvariantCulture)));

    public static RpcException MalformedMessage(string what) => Create(StatusCode.InvalidArgument, "MALFORMED_MESSAGE", what);

    public static RpcException MalformedField(string reason, string field, string description)
    {
        var violation = new BadRequest.Types.FieldViolation { Field = field, Description = description, Reason = reason };
        return Create(
            StatusCode.InvalidArgument,
            reason,
            field.Length == 0 ? description : $"{field}: {description}",
            [new BadRequest { FieldViolations = { violation } }]);
    }

    public static RpcException MalformedHeader(string name) =>
        Create(StatusCode.InvalidArgument, "MALFORMED_HEADER", $"The header {name} is malformed.", ("header", name));

    /// <summary>A broken envelope. grpc/doc/statuscodes.md has INTERNAL for framing the peer got wrong.</summary>
    public static RpcException MalformedFraming(string what) => Create(StatusCode.Internal, "MALFORMED_FRAMING", what);

    public static RpcException UnknownEncoding(string encoding, string supported) => Create(
        StatusCode.Unimplemented, "UNKNOWN_ENCODING", $"The compression \"{encoding}\" is not supported; use one of: {supported}.");

    public static RpcException Create(StatusCode code, string reason, string message, params (string Key, string Value)[] metadata) =>
        Create(code, reason, message, [], metadata);

    /// <summary>The trailers that carry error details.</summary>
    public static Metadata Details(StatusCode code, string message, params IEnumerable<IMessage> details)
    {
        var status = new Google.Rpc.Status { Code = (int)code, Message = message };
        status.Details.AddRange(details.Select(Any.Pack));
        return [new Metadata.Entry(MetadataHeaders.StatusDetails, status.ToByteArray())];
    }

    private static RpcException Create(
        StatusCode code, string reason, string message, IEnumerable<IMessage> details, params (string Key, string Value)[] metadata)
    {
        var info = new ErrorInfo { Reason = reason, Domain = Domain };
        foreach (var (key, value) in metadata)
        {
            info.Metadata.Add(key, value);
        }

        return new(new(code, message), Details(code, message, [info, .. details]));
    }
}
