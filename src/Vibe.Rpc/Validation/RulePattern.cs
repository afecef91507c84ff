using System.Text;
using System.Text.RegularExpressions;

namespace Vibe.Rpc.Validation;

/// <summary>
/// Compiles the RE2 patterns of <c>buf.validate</c> for .NET, in linear time as RE2 promises. Constructs that mean something else
/// in .NET are translated, or refused when they cannot be. A character beyond U+FFFF counts as two.
/// </summary>
internal static class RulePattern
{
    /// <exception cref="ArgumentException">The pattern is malformed.</exception>
    /// <exception cref="FormatException">It uses what the two dialects do not share.</exception>
    public static Regex Compile(string pattern) =>
        new(Translate(pattern), RegexOptions.NonBacktracking | RegexOptions.CultureInvariant);

    private static string Translate(string pattern)
    {
        var translated = new StringBuilder(pattern.Length + 8);
        var inClass = false;
        for (var i = 0; i < pattern.Length; i++)
        {
            var character = pattern[i];
            switch (character)
            {
                case '\\' when i + 1 < pattern.Length:
                    translated.Append(Escape(pattern[++i], inClass));
                    break;
                case '$' when !inClass:
                    // In .NET `$` also matches before a final line feed; RE2 means the very end.
                    translated.Append("\\z");
                    break;
                case '[' when inClass:
                    throw new FormatException("A '[' inside a character class must be escaped: POSIX classes and subtraction are not shared by RE2 and .NET.");
                case '[':
                    inClass = true;
                    translated.Append('[');
                    if (Next(pattern, i) == '^')
                    {
                        translated.Append(pattern[++i]);
                    }

                    if (Next(pattern, i) == ']')
                    {
                        // Right after the opening bracket it is an ordinary character in both dialects.
                        translated.Append(pattern[++i]);
                    }

                    break;
                case ']':
                    inClass = false;
                    translated.Append(']');
                    break;
                case '(' when !inClass && Next(pattern, i) == '?' && !pattern.AsSpan(i).StartsWith("(?:"):
                    throw new FormatException("Of the groups that start with '(?' only '(?:' is allowed.");
                default:
                    translated.Append(character);
                    break;
            }
        }

        return translated.ToString();
    }

    // RE2's classes are ASCII; those of .NET are Unicode.
    private static string Escape(char escaped, bool inClass) => (escaped, inClass) switch
    {
        ('d', true) => "0-9",
        ('d', false) => "[0-9]",
        ('D', false) => "[^0-9]",
        ('w', true) => "0-9A-Za-z_",
        ('w', false) => "[0-9A-Za-z_]",
        ('W', false) => "[^0-9A-Za-z_]",
        ('s', true) => "\\t\\n\\f\\r ",
        ('s', false) => "[\\t\\n\\f\\r ]",
        ('S', false) => "[^\\t\\n\\f\\r ]",
        ('A' or 'z', false) => $"\\{escaped}",
        ('p' or 'P' or 'n' or 'r' or 't' or 'f' or 'v' or 'x', _) => $"\\{escaped}",
        _ when !char.IsAsciiLetterOrDigit(escaped) => $"\\{escaped}",
        _ => throw new FormatException($"The escape '\\{escaped}' is not shared by RE2 and .NET."),
    };

    private static char Next(string pattern, int index) => index + 1 < pattern.Length ? pattern[index + 1] : '\0';
}
