using System.Buffers;
using System.Text;

namespace Vibe.Rpc.Json;

/// <summary>
/// Finds the path of a place in a JSON text, by walking the text again: reading pays nothing for paths that only errors need.
/// </summary>
internal static class JsonPath
{
    private const int MaxName = 40;
    private const int MaxPath = 200;

    private static readonly SearchValues<byte> Plain =
        SearchValues.Create("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-$@"u8);

    /// <summary>The path of the value or member at an offset; everything before it is known to be well-formed.</summary>
    public static string At(ReadOnlySpan<byte> text, int offset, string prefix)
    {
        var frames = new Stack<Frame>();
        for (var position = 0; position < offset && position < text.Length; position++)
        {
            switch (text[position])
            {
                case (byte)'{':
                    frames.Push(new() { Index = -1, ExpectsName = true });
                    break;
                case (byte)'[':
                    frames.Push(new());
                    break;
                case (byte)'}' or (byte)']':
                    frames.TryPop(out _);
                    break;
                case (byte)',' when frames.TryPeek(out var frame):
                    frame.Next();
                    break;
                case (byte)'"':
                    var end = EndOfString(text, position);
                    if (frames.TryPeek(out var owner) && owner.ExpectsName)
                    {
                        owner.Name = text[(position + 1)..end].ToArray();
                        owner.ExpectsName = false;
                    }

                    position = end;
                    break;
            }
        }

        var path = new StringBuilder(prefix);
        foreach (var frame in frames.Reverse())
        {
            frame.Append(path);
        }

        return Cut(path);
    }

    /// <summary>Adds the name of a member.</summary>
    public static void AppendName(StringBuilder path, ReadOnlySpan<byte> name)
    {
        var plain = name.Length > 0 && !name.ContainsAnyExcept(Plain);
        var text = Shorten(name);
        if (!plain)
        {
            path.Append("[\"").Append(text).Append("\"]");
        }
        else
        {
            path.Append(path.Length > 0 ? "." : "").Append(text);
        }
    }

    /// <summary>The path as an exception carries it: a deep one is cut.</summary>
    public static string Cut(StringBuilder path) => path.Length <= MaxPath ? path.ToString() : path.ToString(0, MaxPath) + "…";

    /// <summary>A name from the input as an error may quote it.</summary>
    public static string Shorten(ReadOnlySpan<byte> name)
    {
        var text = Encoding.UTF8.GetString(name.Length > 4 * MaxName ? name[..(4 * MaxName)] : name);
        return text.Length <= MaxName ? text : text[..(char.IsHighSurrogate(text[MaxName - 1]) ? MaxName - 1 : MaxName)] + "…";
    }

    private static int EndOfString(ReadOnlySpan<byte> text, int quote)
    {
        var position = quote + 1;
        while (position < text.Length && text[position] != '"')
        {
            position += text[position] == '\\' ? 2 : 1;
        }

        return Math.Min(position, text.Length);
    }

    private sealed class Frame
    {
        public int Index { get; set; }

        public bool ExpectsName { get; set; }

        public byte[]? Name { get; set; }

        public void Next()
        {
            if (Index < 0)
            {
                (Name, ExpectsName) = (null, true);
            }
            else
            {
                Index++;
            }
        }

        public void Append(StringBuilder path)
        {
            if (Index >= 0)
            {
                path.Append('[').Append(Index).Append(']');
            }
            else if (Name is not null)
            {
                AppendName(path, Name);
            }
        }
    }
}
