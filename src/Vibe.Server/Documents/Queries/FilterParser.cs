using System.Collections.Immutable;
using Vibe.Documents.V1;

namespace Vibe.Server.Documents.Queries;

/// <summary>
/// Reads the text form of a filter, by recursive descent. The grammar, loosest first:
/// <code>
/// or       = and  { ("or" | "||") and }
/// and      = not  { ("and" | "&amp;&amp;") not }
/// not      = ("not" | "!") not | "(" or ")" | "true" | "false" | "exists" field | field compare
/// compare  = ("=" | "==" | "!=" | "&lt;" | "&lt;=" | "&gt;" | "&gt;=" | "contains") scalar
///          | ("starts_with" | "match") string | "in" "[" [ scalar { "," scalar } ] "]"
/// </code>
/// </summary>
internal sealed class FilterParser
{
    private readonly FilterLexer _lexer;
    private Token _token;
    private int _comparisons;
    private int _nesting;

    private FilterParser(string text, string field)
    {
        _lexer = new FilterLexer(text, field);
        _token = _lexer.Next();
    }

    /// <summary>The condition; true for every document when the text is blank.</summary>
    /// <exception cref="QuerySyntaxException">The text is not a condition; the field is the given one.</exception>
    public static FilterNode Parse(string text, string field)
    {
        if (System.Text.Encoding.UTF8.GetByteCount(text) > QueryLimits.TextBytes)
        {
            throw new QuerySyntaxException(field, $"a filter has at most {QueryLimits.TextBytes} bytes", QueryRule.Limit);
        }

        var parser = new FilterParser(text, field);
        if (parser._token.Kind == TokenKind.End)
        {
            return FilterNode.True;
        }

        var node = parser.ParseOr();
        return parser._token.Kind == TokenKind.End ? node : throw parser.Unexpected("`and`, `or` or the end");
    }

    private FilterNode ParseOr()
    {
        var nodes = ImmutableArray.Create(ParseAnd());
        while (Take("or") || TakeSymbol("||"))
        {
            nodes = nodes.Add(ParseAnd());
        }

        return nodes.Length == 1 ? nodes[0] : new OrNode(nodes);
    }

    private FilterNode ParseAnd()
    {
        var nodes = ImmutableArray.Create(ParseNot());
        while (Take("and") || TakeSymbol("&&"))
        {
            nodes = nodes.Add(ParseNot());
        }

        return nodes.Length == 1 ? nodes[0] : new AndNode(nodes);
    }

    private FilterNode ParseNot()
    {
        var start = _token;
        if (Take("not") || TakeSymbol("!"))
        {
            Enter(start);
            var node = ParseNot();
            _nesting--;
            return new NotNode(node);
        }

        if (TakeSymbol("("))
        {
            Enter(start);
            var node = ParseOr();
            _nesting--;
            return TakeSymbol(")") ? node : throw Unexpected("`and`, `or` or `)`");
        }

        if (Take("true"))
        {
            return FilterNode.True;
        }

        return Take("false") ? FilterNode.False : ParseComparison();
    }

    // Bounds the recursion before the tree is there to be measured.
    private void Enter(Token start)
    {
        if (++_nesting > QueryLimits.Depth)
        {
            throw _lexer.Error(start.Position, $"conditions nest at most {QueryLimits.Depth} levels deep", QueryRule.Limit);
        }
    }

    private CompareNode ParseComparison()
    {
        var start = _token;
        if (++_comparisons > QueryLimits.Comparisons)
        {
            throw _lexer.Error(start.Position, $"a filter has at most {QueryLimits.Comparisons} comparisons", QueryRule.Limit);
        }

        if (Take("exists"))
        {
            return ComparisonRules.Exists(ParseField());
        }

        var field = ParseField();
        if (Take("in"))
        {
            return ParseIn(field);
        }

        var op = ParseOperator();
        var at = _token;
        var value = ParseScalar();
        return Check(at, () => ComparisonRules.Compare(field, op, value));
    }

    private CompareNode ParseIn(FieldPath field)
    {
        var at = _token;
        if (!TakeSymbol("["))
        {
            throw Unexpected("`[` after `in`");
        }

        var items = ImmutableArray.CreateBuilder<JsonScalar>();
        if (!TakeSymbol("]"))
        {
            do
            {
                items.Add(ParseScalar());
            }
            while (TakeSymbol(","));
            if (!TakeSymbol("]"))
            {
                throw Unexpected("`,` or `]`");
            }
        }

        return Check(at, () => ComparisonRules.In(field, items.ToImmutable()));
    }

    private FieldPath ParseField()
    {
        var token = _token;
        if (token.Kind != TokenKind.Path)
        {
            throw Unexpected("a field");
        }

        var field = Check(token, () => FieldPath.Of(token.Text, token.Keys), QueryRule.Field);
        _token = _lexer.Next();
        return field;
    }

    private Operator ParseOperator()
    {
        var op = _token switch
        {
            { Kind: TokenKind.Symbol, Text: "=" or "==" } => Operator.Eq,
            { Kind: TokenKind.Symbol, Text: "!=" } => Operator.Ne,
            { Kind: TokenKind.Symbol, Text: "<" } => Operator.Lt,
            { Kind: TokenKind.Symbol, Text: "<=" } => Operator.Le,
            { Kind: TokenKind.Symbol, Text: ">" } => Operator.Gt,
            { Kind: TokenKind.Symbol, Text: ">=" } => Operator.Ge,
            _ when _token.IsKeyword("contains") => Operator.Contains,
            _ when _token.IsKeyword("starts_with") => Operator.StartsWith,
            _ when _token.IsKeyword("match") => Operator.Match,
            _ => throw Unexpected("an operator: `=`, `!=`, `<`, `<=`, `>`, `>=`, `in`, `contains`, `starts_with` or `match`"),
        };
        _token = _lexer.Next();
        return op;
    }

    private JsonScalar ParseScalar()
    {
        var token = _token;
        var value = token switch
        {
            { Kind: TokenKind.Text } => Check(token, () => JsonScalar.Of(token.Text)),
            { Kind: TokenKind.Number } => Check(token, () => JsonScalar.Of(token.Number)),
            _ when token.IsKeyword("true") => JsonScalar.Of(true),
            _ when token.IsKeyword("false") => JsonScalar.Of(false),
            _ when token.IsKeyword("null") => JsonScalar.Null,
            _ => throw Unexpected("a value: a string in quotes, a number, `true`, `false` or `null`"),
        };
        _token = _lexer.Next();
        return value;
    }

    private T Check<T>(Token token, Func<T> make, string rule = QueryRule.Value)
    {
        try
        {
            return make();
        }
        catch (FormatException exception)
        {
            throw _lexer.Error(token.Position, exception.Message, rule);
        }
    }

    private bool Take(string keyword)
    {
        if (!_token.IsKeyword(keyword))
        {
            return false;
        }

        _token = _lexer.Next();
        return true;
    }

    private bool TakeSymbol(string symbol)
    {
        if (!_token.IsSymbol(symbol))
        {
            return false;
        }

        _token = _lexer.Next();
        return true;
    }

    private QuerySyntaxException Unexpected(string expected)
    {
        var found = _token.Kind switch
        {
            TokenKind.End => "the end",
            TokenKind.Text => "a string",
            TokenKind.Number => "a number",
            _ => $"`{_token.Text}`",
        };
        return _lexer.Error(_token.Position, $"expected {expected}, found {found}");
    }
}
