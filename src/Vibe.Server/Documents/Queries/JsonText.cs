using System.Runtime.InteropServices;
using System.Text;
using System.Text.Json;

namespace Vibe.Server.Documents.Queries;

/// <summary>Strings inside a parsed body.</summary>
internal static class JsonText
{
    /// <summary>The string in UTF-8 without escapes: a slice of the body where it has none.</summary>
    public static ReadOnlySpan<byte> Utf8Of(JsonElement element)
    {
        var raw = JsonMarshal.GetRawUtf8Value(element)[1..^1];
        return raw.Contains((byte)'\\') ? Encoding.UTF8.GetBytes(element.GetString()!) : raw;
    }
}
