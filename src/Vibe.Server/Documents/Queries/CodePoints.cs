namespace Vibe.Server.Documents.Queries;

/// <summary>Strings as sequences of Unicode code points; .NET orders and counts UTF-16 units.</summary>
internal static class CodePoints
{
    /// <summary>Compares by code point, as PostgreSQL does under the collation "C" and everyone does with UTF-8 bytes.</summary>
    public static int Compare(ReadOnlySpan<char> left, ReadOnlySpan<char> right)
    {
        var same = left.CommonPrefixLength(right);
        if (same == left.Length || same == right.Length)
        {
            return left.Length.CompareTo(right.Length);
        }

        // Surrogates stand for code points above every other unit, though their numbers are below U+E000.
        return Weight(left[same]).CompareTo(Weight(right[same]));
    }

    /// <summary>The first code points of a string, the string itself when it has no more.</summary>
    public static string Take(string value, int count)
    {
        if (value.Length <= count)
        {
            return value;
        }

        var index = 0;
        for (; index < value.Length && count > 0; count--)
        {
            index += char.IsHighSurrogate(value[index]) && index + 1 < value.Length ? 2 : 1;
        }

        return index == value.Length ? value : value[..index];
    }

    /// <summary>Why a string cannot stand in a query; null when it can.</summary>
    public static string? ProblemOf(ReadOnlySpan<char> value)
    {
        for (var i = 0; i < value.Length; i++)
        {
            if (value[i] == 0)
            {
                // PostgreSQL cannot hold it, so no document has it.
                return "a string may not contain U+0000";
            }

            if (!char.IsSurrogate(value[i]))
            {
                continue;
            }

            if (!char.IsHighSurrogate(value[i]) || i + 1 == value.Length || !char.IsLowSurrogate(value[i + 1]))
            {
                return "a string may not contain half of a surrogate pair";
            }

            i++;
        }

        return null;
    }

    /// <summary>
    /// The least string above every string that begins with the prefix; null when there is none.
    /// </summary>
    public static string? AfterPrefix(string prefix)
    {
        var runes = prefix.EnumerateRunes().ToList();
        while (runes.Count > 0 && runes[^1].Value == 0x10FFFF)
        {
            runes.RemoveAt(runes.Count - 1);
        }

        if (runes.Count == 0)
        {
            return null;
        }

        var next = runes[^1].Value + 1;
        runes[^1] = new System.Text.Rune(next == 0xD800 ? 0xE000 : next);
        return string.Concat(runes);
    }

    private static int Weight(char c) => char.IsSurrogate(c) ? c + 0x10000 : c;
}
