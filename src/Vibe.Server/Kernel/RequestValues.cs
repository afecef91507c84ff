using System.Buffers;
using Google.Protobuf;
using Google.Protobuf.WellKnownTypes;
using Vibe.Rpc.Json;

namespace Vibe.Server.Kernel;

/// <summary>
/// Values of a request whose binary form can say what their JSON form cannot: they are checked where they are read, so that it is the
/// sender's mistake and not the server's.
/// </summary>
internal static class RequestValues
{
    /// <summary>Checks an object.</summary>
    /// <param name="wire">The wire form of <c>google.protobuf.Struct</c>.</param>
    /// <param name="field">The field, as JSON names it.</param>
    /// <exception cref="Grpc.Core.RpcException">INVALID_ARGUMENT.</exception>
    public static void CheckObject(ByteString wire, string field)
    {
        try
        {
            StructJson.Validate(wire.Span);
        }
        catch (StructJsonException exception)
        {
            throw Invalid(exception, field);
        }
    }

    /// <summary>Checks an object and writes it as JSON.</summary>
    /// <param name="wire">The wire form of <c>google.protobuf.Struct</c>.</param>
    /// <param name="field">The field, as JSON names it.</param>
    /// <param name="limits">How deep and large it may be; null for the limits of a document.</param>
    /// <exception cref="Grpc.Core.RpcException">INVALID_ARGUMENT.</exception>
    public static ReadOnlyMemory<byte> ToJson(ByteString wire, string field, StructJsonLimits? limits = null)
    {
        var buffer = new ArrayBufferWriter<byte>(Math.Max(64, wire.Length));
        try
        {
            StructJson.Validate(wire.Span, limits);
            StructJson.ToJson(wire.Span, buffer, limits);
        }
        catch (StructJsonException exception)
        {
            throw Invalid(exception, field);
        }

        return buffer.WrittenMemory;
    }

    /// <summary>Reads a time; null when there is none.</summary>
    /// <param name="time">The time.</param>
    /// <param name="field">The field, as JSON names it.</param>
    /// <exception cref="Grpc.Core.RpcException">INVALID_ARGUMENT: not of the years 1 to 9999.</exception>
    public static DateTimeOffset? ToTime(Timestamp? time, string field)
    {
        try
        {
            return time?.ToDateTimeOffset();
        }
        catch (InvalidOperationException)
        {
            throw VibeError.InvalidField(field, "is not a time of the years 1 to 9999", JsonErrorReason.InvalidTimestamp);
        }
    }

    private static Grpc.Core.RpcException Invalid(StructJsonException exception, string field) => VibeError.InvalidField(
        exception.FieldPath.Length == 0 ? field : $"{field}.{exception.FieldPath}", exception.Problem, exception.Reason);
}
