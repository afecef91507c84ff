using System.Collections.Immutable;
using System.Globalization;
using System.Text;

namespace Vibe.Server.Documents.Queries;

/// <summary>What a <see cref="Token"/> is.</summary>
internal enum TokenKind
{
    End,

    /// <summary>A name with the keys after its dots; a keyword when it has none.</summary>
    Path,
    Text,
    Number,

    /// <summary>An operator, bracket or comma, in <see cref="Token.Text"/>.</summary>
    Symbol,
}

/// <summary>One token of the text form.</summary>
/// <param name="Kind">What it is.</param>
/// <param name="Position">The index of its first character.</param>
/// <param name="Text">The name, the string, the symbol.</param>
/// <param name="Keys">The keys of a path after its first name.</param>
/// <param name="Number">The number.</param>
internal readonly record struct Token(TokenKind Kind, int Position, string Text, ImmutableArray<string> Keys, double Number)
{
    /// <summary>Whether it is the given symbol.</summary>
    public bool IsSymbol(string symbol) => Kind == TokenKind.Symbol && Text == symbol;

    /// <summary>Whether it is the given keyword, in any case.</summary>
    public bool IsKeyword(string keyword) =>
        Kind == TokenKind.Path && Keys.IsEmpty && Text.Equals(keyword, StringComparison.OrdinalIgnoreCase);
}

/// <summary>Cuts the text form of filters, orders and fields into tokens.</summary>
internal sealed class FilterLexer(string text, string field)
{
    private int _position;

    /// <summary>The next token; <see cref="TokenKind.End"/> again and again at the end.</summary>
    public Token Next()
    {
        while (_position < text.Length && text[_position] is ' ' or '\t' or '\r' or '\n')
        {
            _position++;
        }

        var start = _position;
        return Peek(0) switch
        {
            '\0' when start >= text.Length => new Token(TokenKind.End, start, "", [], 0),
            '"' or '\'' => new Token(TokenKind.Text, start, ReadText(), [], 0),
            '-' or '+' or '.' or (>= '0' and <= '9') => new Token(TokenKind.Number, start, "", [], ReadNumber()),
            var c when FieldPath.IsNameStart(c) => ReadPath(),
            _ => new Token(TokenKind.Symbol, start, ReadSymbol(), [], 0),
        };
    }

    /// <summary>An error at a character of the text.</summary>
    public QuerySyntaxException Error(int position, string description, string rule = QueryRule.Syntax) =>
        new(field, $"at character {(position + 1).ToString(CultureInfo.InvariantCulture)}: {description}", rule);

    private char Peek(int ahead) => _position + ahead < text.Length ? text[_position + ahead] : '\0';

    private Token ReadPath()
    {
        var start = _position;
        var first = ReadName();
        var keys = ImmutableArray<string>.Empty;
        while (Peek(0) == '.')
        {
            _position++;
            keys = keys.Length < QueryLimits.PathKeys
                ? keys.Add(Peek(0) == '`' ? ReadQuotedKey() : ReadName())
                : throw Error(start, $"a path has at most {QueryLimits.PathKeys} keys", QueryRule.Field);
        }

        return new Token(TokenKind.Path, start, first, keys, 0);
    }

    private string ReadName()
    {
        var start = _position;
        if (!FieldPath.IsNameStart(Peek(0)))
        {
            throw Error(start, "expected a key after the dot; a key that is not a plain name stands in backquotes", QueryRule.Field);
        }

        while (FieldPath.IsNamePart(Peek(0)))
        {
            _position++;
        }

        return text[start.._position];
    }

    private string ReadQuotedKey()
    {
        var start = _position++;
        var key = new StringBuilder();
        while (_position < text.Length)
        {
            var c = text[_position++];
            if (c == '`' && Peek(0) != '`')
            {
                var value = key.ToString();
                return CodePoints.ProblemOf(value) is { } problem ? throw Error(start, problem, QueryRule.Field) : value;
            }

            // Two backquotes stand for one.
            _position += c == '`' ? 1 : 0;
            key.Append(c);
        }

        throw Error(start, "the backquote is never closed", QueryRule.Field);
    }

    private string ReadText()
    {
        var start = _position;
        var quote = text[_position++];
        var value = new StringBuilder();
        while (_position < text.Length)
        {
            var c = text[_position++];
            if (c == quote)
            {
                return value.ToString();
            }

            if (c < ' ')
            {
                throw Error(_position - 1, "a control character in a string is written as an escape, for example \\n");
            }

            value.Append(c == '\\' ? ReadEscape() : c);
        }

        throw Error(start, "the string is never closed");
    }

    private char ReadEscape()
    {
        var start = _position - 1;
        var c = Peek(0);
        _position++;
        switch (c)
        {
            case '"' or '\'' or '\\' or '/':
                return c;
            case 'b':
                return '\b';
            case 'f':
                return '\f';
            case 'n':
                return '\n';
            case 'r':
                return '\r';
            case 't':
                return '\t';
            case 'u' when _position + 4 <= text.Length
                && ushort.TryParse(text.AsSpan(_position, 4), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var unit):
                _position += 4;
                return (char)unit;
            default:
                throw Error(start, "not an escape of JSON");
        }
    }

    private double ReadNumber()
    {
        var start = _position;
        _position += Peek(0) == '-' ? 1 : 0;
        var whole = Digits();
        var ok = whole == 1 || (whole > 1 && text[_position - whole] != '0');
        if (ok && Peek(0) == '.')
        {
            _position++;
            ok = Digits() > 0;
        }

        if (ok && Peek(0) is 'e' or 'E')
        {
            _position += Peek(1) is '+' or '-' ? 2 : 1;
            ok = Digits() > 0;
        }

        if (!ok || FieldPath.IsNamePart(Peek(0)) || Peek(0) == '.')
        {
            throw Error(start, "not a number of JSON");
        }

        return double.Parse(text.AsSpan(start, _position - start), NumberStyles.Float, CultureInfo.InvariantCulture);
    }

    private int Digits()
    {
        var start = _position;
        while (char.IsAsciiDigit(Peek(0)))
        {
            _position++;
        }

        return _position - start;
    }

    private string ReadSymbol()
    {
        var two = _position + 2 <= text.Length ? text.AsSpan(_position, 2) : default;
        var symbol = two switch
        {
            "==" => "==",
            "!=" => "!=",
            "<=" => "<=",
            ">=" => ">=",
            "&&" => "&&",
            "||" => "||",
            _ => text[_position] switch
            {
                '=' => "=",
                '<' => "<",
                '>' => ">",
                '!' => "!",
                '(' => "(",
                ')' => ")",
                '[' => "[",
                ']' => "]",
                ',' => ",",
                _ => throw Error(_position, "this character means nothing here"),
            },
        };
        _position += symbol.Length;
        return symbol;
    }
}
