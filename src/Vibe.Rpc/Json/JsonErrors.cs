namespace Vibe.Rpc.Json;

/// <summary>Makes the exceptions of one kind of reading.</summary>
/// <param name="prefix">What a path starts with: the field whose value is being read.</param>
/// <param name="structOnly">Whether the caller expects <see cref="StructJsonException"/>.</param>
internal sealed class JsonErrors(string prefix, bool structOnly)
{
    public static readonly JsonErrors Codec = new("", structOnly: false);

    public static readonly JsonErrors Struct = new("", structOnly: true);

    public JsonCodecException Make(string reason, string message, ReadOnlySpan<byte> text, int offset)
    {
        var path = JsonPath.At(text, offset, prefix);
        return structOnly ? new StructJsonException(reason, message, path) : new JsonCodecException(reason, message, path);
    }
}
