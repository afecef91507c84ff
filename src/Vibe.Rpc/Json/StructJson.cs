using System.Buffers;
using Google.Protobuf;

namespace Vibe.Rpc.Json;

/// <summary>
/// Transcodes between a JSON object in UTF-8 and the wire form of <c>google.protobuf.Struct</c>, without building a tree.
/// </summary>
/// <remarks>
/// Numbers are doubles, as in the Struct. What one direction accepts the other can write: NaN, infinities, invalid UTF-8, U+0000 and
/// keys given twice are errors. The order of keys is kept. Thread-safe; works in pooled memory.
/// </remarks>
public static class StructJson
{
    /// <summary>Reads a JSON object into the wire form of a Struct. An empty object is an empty Struct.</summary>
    /// <param name="json">One object and nothing else.</param>
    /// <param name="structWire">Gets the Struct; nothing when the input fails.</param>
    /// <param name="limits">Null for the defaults.</param>
    /// <exception cref="StructJsonException">The input is not such an object, or exceeds a limit.</exception>
    public static void ToStruct(ReadOnlySpan<byte> json, IBufferWriter<byte> structWire, StructJsonLimits? limits = null)
    {
        ArgumentNullException.ThrowIfNull(structWire);
        limits ??= StructJsonLimits.Default;
        scoped var scanner = new JsonScanner(json, limits.MaxDepth, JsonErrors.Struct);
        var encoder = new StructEncoder(
            json.Length, limits.MaxBytes, new(stackalloc ulong[KeyStack.Initial], stackalloc KeyStack.Key[KeyStack.Initial]));
        try
        {
            encoder.Read(ref scanner);
            scanner.End();
            encoder.CopyTo(structWire.GetSpan(encoder.Length));
            structWire.Advance(encoder.Length);
        }
        finally
        {
            encoder.Dispose();
        }
    }

    /// <inheritdoc cref="ToStruct(ReadOnlySpan{byte}, IBufferWriter{byte}, StructJsonLimits?)"/>
    public static ByteString ToStruct(ReadOnlySpan<byte> json, StructJsonLimits? limits = null)
    {
        limits ??= StructJsonLimits.Default;
        var scanner = new JsonScanner(json, limits.MaxDepth, JsonErrors.Struct);
        var result = Read(ref scanner, limits.MaxBytes);
        scanner.End();
        return result;
    }

    /// <summary>Writes the wire form of a Struct as a JSON object, without white space.</summary>
    /// <param name="structWire">One Struct; what <see cref="ToStruct(ReadOnlySpan{byte}, StructJsonLimits?)"/> made or
    /// <see cref="Validate"/> accepted. Other bytes never give malformed JSON, but keys given twice are not noticed.</param>
    /// <param name="json">Gets the object; a part of it when the input fails.</param>
    /// <param name="limits">Null for the defaults.</param>
    /// <exception cref="StructJsonException">The bytes are no well-formed Struct, or nested too deep.</exception>
    public static void ToJson(ReadOnlySpan<byte> structWire, IBufferWriter<byte> json, StructJsonLimits? limits = null)
    {
        ArgumentNullException.ThrowIfNull(json);
        var output = new JsonOutput(json);
        StructDecoder.Write(structWire, ref output, (limits ?? StructJsonLimits.Default).MaxDepth);
        output.Flush();
    }

    /// <summary>
    /// Checks bytes from a binary client: one well-formed Struct without unknown fields, values without a kind, keys given twice,
    /// strings that are not UTF-8 or hold U+0000, or numbers that are not finite.
    /// </summary>
    /// <param name="structWire">The bytes; none are an empty Struct.</param>
    /// <param name="limits">Null for the defaults.</param>
    /// <exception cref="StructJsonException">They are not that, or exceed a limit.</exception>
    public static void Validate(ReadOnlySpan<byte> structWire, StructJsonLimits? limits = null)
    {
        limits ??= StructJsonLimits.Default;
        if (structWire.Length > limits.MaxBytes)
        {
            throw new StructJsonException(JsonErrorReason.SizeLimit, $"larger than {limits.MaxBytes} bytes");
        }

        var validator = new StructValidator(
            structWire, limits.MaxDepth, new(stackalloc ulong[KeyStack.Initial], stackalloc KeyStack.Key[KeyStack.Initial]));
        try
        {
            validator.Check();
        }
        finally
        {
            validator.Dispose();
        }
    }

    /// <summary>Reads the object at which a scanner stands.</summary>
    internal static ByteString Read(scoped ref JsonScanner scanner, int maxBytes)
    {
        scoped var copy = scanner;
        var encoder = new StructEncoder(
            1024, maxBytes, new(stackalloc ulong[KeyStack.Initial], stackalloc KeyStack.Key[KeyStack.Initial]));
        try
        {
            encoder.Read(ref copy);
            scanner.MoveTo(copy);
            if (encoder.Length == 0)
            {
                return ByteString.Empty;
            }

            var bytes = GC.AllocateUninitializedArray<byte>(encoder.Length);
            encoder.CopyTo(bytes);
            return UnsafeByteOperations.UnsafeWrap(bytes);
        }
        finally
        {
            encoder.Dispose();
        }
    }
}
