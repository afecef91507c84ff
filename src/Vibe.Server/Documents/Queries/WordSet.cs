using System.Buffers;
using System.Text;

namespace Vibe.Server.Documents.Queries;

/// <summary>
/// The words of a MATCH. A word is a longest run of ASCII letters, ASCII digits and characters above U+007F; ASCII
/// letters match in either case. Everything else about a language is left out so that all executors agree exactly.
/// </summary>
internal sealed class WordSet
{
    /// <summary>No words: every string has them.</summary>
    public static readonly WordSet Empty = new([]);

    // Folded words, each byte of their UTF-8 form widened to one char, so that looking a word up allocates nothing.
    private readonly Dictionary<string, int> _indexes = new(StringComparer.Ordinal);
    private readonly int _longest;

    private WordSet(IEnumerable<string> widened)
    {
        foreach (var word in widened)
        {
            if (_indexes.TryAdd(word, _indexes.Count))
            {
                _longest = Math.Max(_longest, word.Length);
            }
        }

        Words = [.. _indexes.Keys.Select(word => Encoding.UTF8.GetString(Encoding.Latin1.GetBytes(word)))];
    }

    /// <summary>The words, ASCII letters in lower case, each once.</summary>
    public string[] Words { get; }

    /// <summary>A longest word, the rarest by guess; empty when there is none.</summary>
    public string Longest => Words.MaxBy(word => word.Length) ?? "";

    /// <summary>The words of a text.</summary>
    public static WordSet Of(ReadOnlySpan<byte> utf8)
    {
        var words = new List<string>();
        for (var rest = utf8; Next(ref rest, out var word);)
        {
            words.Add(string.Create(word.Length, word, static (chars, bytes) => Fold(bytes, chars)));
        }

        return new WordSet(words);
    }

    /// <summary>Whether the text has every word.</summary>
    public bool AreIn(ReadOnlySpan<byte> utf8)
    {
        if (_indexes.Count == 0)
        {
            return true;
        }

        var rented = ArrayPool<char>.Shared.Rent(_longest);
        var found = ArrayPool<bool>.Shared.Rent(_indexes.Count);
        found.AsSpan(0, _indexes.Count).Clear();
        try
        {
            return Count(utf8, rented, found) == _indexes.Count;
        }
        finally
        {
            ArrayPool<char>.Shared.Return(rented);
            ArrayPool<bool>.Shared.Return(found);
        }
    }

    private int Count(ReadOnlySpan<byte> utf8, Span<char> buffer, Span<bool> found)
    {
        var lookup = _indexes.GetAlternateLookup<ReadOnlySpan<char>>();
        var count = 0;
        for (var rest = utf8; count < _indexes.Count && Next(ref rest, out var word);)
        {
            if (word.Length > _longest)
            {
                continue;
            }

            Fold(word, buffer);
            if (lookup.TryGetValue(buffer[..word.Length], out var index) && !found[index])
            {
                found[index] = true;
                count++;
            }
        }

        return count;
    }

    private static bool Next(ref ReadOnlySpan<byte> rest, out ReadOnlySpan<byte> word)
    {
        var start = 0;
        while (start < rest.Length && !IsWord(rest[start]))
        {
            start++;
        }

        var end = start;
        while (end < rest.Length && IsWord(rest[end]))
        {
            end++;
        }

        word = rest[start..end];
        rest = rest[end..];
        return !word.IsEmpty;
    }

    private static bool IsWord(byte b) => b >= 0x80 || char.IsAsciiLetterOrDigit((char)b);

    private static void Fold(ReadOnlySpan<byte> word, Span<char> chars)
    {
        for (var i = 0; i < word.Length; i++)
        {
            chars[i] = char.IsAsciiLetterUpper((char)word[i]) ? (char)(word[i] | 0x20) : (char)word[i];
        }
    }
}
