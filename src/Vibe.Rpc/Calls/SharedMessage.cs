using System.Buffers;
using Google.Protobuf;
using Vibe.Rpc.Json;

namespace Vibe.Rpc;

/// <summary>
/// A message that can be sent to many calls for the price of encoding it once: a partial class of a generated message
/// implements it with one property.
/// </summary>
public interface ISharedMessage : IMessage
{
    /// <summary>
    /// The bytes, when the message is shared; null, the default, for a message of one call. From the first write on, a shared
    /// message must not change: what is sent is what was encoded then.
    /// </summary>
    SharedBytes? Shared { get; }
}

/// <summary>The encoded forms of one message, each made when a protocol first needs it. Thread-safe.</summary>
public sealed class SharedBytes
{
    private byte[]? _proto;
    private JsonForm? _json;

    /// <summary>The binary form. Two who ask at once may each make it, to the same end.</summary>
    internal byte[] Proto(IMessage message) => _proto ??= message.ToByteArray();

    /// <summary>The JSON form, as one codec writes it.</summary>
    internal byte[] Json(IMessage message, JsonCodec codec)
    {
        if (_json is not { } json || json.Codec != codec)
        {
            var buffer = new ArrayBufferWriter<byte>();
            codec.Write(message, buffer);
            _json = json = new JsonForm(codec, buffer.WrittenSpan.ToArray());
        }

        return json.Bytes;
    }

    private sealed record JsonForm(JsonCodec Codec, byte[] Bytes);
}
