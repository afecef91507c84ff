using System.Buffers;
using Google.Protobuf;
using Vibe.Rpc.Calls;
using Vibe.Rpc.Json;

namespace Vibe.Rpc.Protocols;

/// <summary>How messages become bytes: proto or JSON.</summary>
internal abstract class MessageCodec
{
    /// <summary>The binary form.</summary>
    public static readonly MessageCodec Proto = new ProtoMessageCodec();

    /// <summary>Fills a message.</summary>
    /// <exception cref="Grpc.Core.RpcException">INVALID_ARGUMENT: the bytes are no such message.</exception>
    public abstract void Merge(in ReadOnlySequence<byte> payload, IMessage target);

    /// <summary>The message's size in bytes; negative when only writing it tells.</summary>
    public abstract int SizeOf(IMessage message);

    /// <summary>Writes a message.</summary>
    public abstract void Write(IMessage message, IBufferWriter<byte> output);

    private sealed class ProtoMessageCodec : MessageCodec
    {
        public override void Merge(in ReadOnlySequence<byte> payload, IMessage target)
        {
            try
            {
                target.MergeFrom(payload);
            }
            catch (InvalidProtocolBufferException exception)
            {
                throw WireErrors.MalformedMessage($"The message is no {target.Descriptor.FullName}: {exception.Message}");
            }
        }

        public override int SizeOf(IMessage message) =>
            message is ISharedMessage { Shared: { } shared } ? shared.Proto(message).Length : message.CalculateSize();

        public override void Write(IMessage message, IBufferWriter<byte> output)
        {
            if (message is ISharedMessage { Shared: { } shared })
            {
                output.Write(shared.Proto(message));
            }
            else
            {
                message.WriteTo(output);
            }
        }
    }
}

/// <summary>The JSON form.</summary>
internal sealed class JsonMessageCodec(JsonCodec json) : MessageCodec
{
    public override void Merge(in ReadOnlySequence<byte> payload, IMessage target)
    {
        try
        {
            json.Merge(payload, target);
        }
        catch (JsonCodecException exception)
        {
            throw WireErrors.MalformedJson(exception);
        }
    }

    public override int SizeOf(IMessage message) => message is ISharedMessage { Shared: { } shared } ? shared.Json(message, json).Length : -1;

    public override void Write(IMessage message, IBufferWriter<byte> output)
    {
        if (message is ISharedMessage { Shared: { } shared })
        {
            output.Write(shared.Json(message, json));
        }
        else
        {
            json.Write(message, output);
        }
    }
}
