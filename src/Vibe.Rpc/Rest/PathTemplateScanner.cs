using System.Buffers;

namespace Vibe.Rpc.Rest;

/// <summary>Cuts the text of a path template into tokens.</summary>
internal static class PathTemplateScanner
{
    // RFC 3986 pchar without ':' (the verb), '*' and '=' (the template's own signs) and percent-encoded octets: a literal
    // is written as it reads, and compared with the decoded segment of a request.
    private static readonly SearchValues<char> LiteralCharacters =
        SearchValues.Create("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~!$&'()+,;@");

    /// <exception cref="FormatException">A character that no template may hold.</exception>
    public static List<PathToken> Scan(string template)
    {
        var tokens = new List<PathToken>();
        var position = 0;
        while (position < template.Length)
        {
            var token = Next(template, position);
            tokens.Add(token);
            position += token.Text.Length;
        }

        tokens.Add(new(PathTokenKind.End, position, ""));
        return tokens;
    }

    private static PathToken Next(string template, int position) => template[position] switch
    {
        '/' => new(PathTokenKind.Slash, position, "/"),
        '{' => new(PathTokenKind.OpenBrace, position, "{"),
        '}' => new(PathTokenKind.CloseBrace, position, "}"),
        '=' => new(PathTokenKind.Equals, position, "="),
        ':' => new(PathTokenKind.Colon, position, ":"),
        '*' when template.AsSpan(position).StartsWith("**") => new(PathTokenKind.DoubleStar, position, "**"),
        '*' => new(PathTokenKind.Star, position, "*"),
        _ => Literal(template, position),
    };

    private static PathToken Literal(string template, int position)
    {
        var rest = template.AsSpan(position);
        var length = rest.IndexOfAnyExcept(LiteralCharacters);
        if (length == 0)
        {
            throw new FormatException($"path template '{template}': '{template[position]}' at position {position} is not allowed");
        }

        return new(PathTokenKind.Literal, position, (length < 0 ? rest : rest[..length]).ToString());
    }
}
