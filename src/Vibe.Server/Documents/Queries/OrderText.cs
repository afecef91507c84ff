using System.Collections.Immutable;
using System.Globalization;
using System.Text;
using Vibe.Documents.V1;

namespace Vibe.Server.Documents.Queries;

/// <summary>Reads orders, as text (<c>data.name, create_time desc</c>) and as messages.</summary>
internal static class OrderText
{
    /// <summary>The order; newest first when the text is blank.</summary>
    /// <exception cref="QuerySyntaxException">The text is not an order.</exception>
    public static DocumentOrder Parse(string text, string field)
    {
        if (Encoding.UTF8.GetByteCount(text) > QueryLimits.OrderBytes)
        {
            throw new QuerySyntaxException(field, $"an order has at most {QueryLimits.OrderBytes} bytes", QueryRule.Limit);
        }

        var lexer = new FilterLexer(text, field);
        var token = lexer.Next();
        var keys = ImmutableArray.CreateBuilder<OrderKey>();
        while (token.Kind != TokenKind.End)
        {
            var path = PathOf(lexer, token);
            token = lexer.Next();
            var descending = token.IsKeyword("desc");
            token = descending || token.IsKeyword("asc") ? lexer.Next() : token;
            keys.Add(new OrderKey(path, descending));
            if (token.Kind == TokenKind.End)
            {
                break;
            }

            token = token.IsSymbol(",") ? lexer.Next() : throw lexer.Error(token.Position, "expected `desc`, `,` or the end");
            if (token.Kind == TokenKind.End)
            {
                throw lexer.Error(token.Position, "expected a field after the comma");
            }
        }

        return Checked(keys.ToImmutable(), field, static (name, _) => name);
    }

    /// <summary>The order; newest first when there is no key.</summary>
    /// <exception cref="QuerySyntaxException">A key is not valid; the error names it.</exception>
    public static DocumentOrder Read(IReadOnlyList<OrderBy> messages, string field)
    {
        var keys = messages.Select((key, i) => new OrderKey(ParseField(key.Field, $"{Item(field, i)}.field"), key.Descending));
        return Checked([.. keys.Take(QueryLimits.OrderKeys + 1)], field, Item);
    }

    /// <summary>One field by its name.</summary>
    /// <exception cref="QuerySyntaxException">There is no such field.</exception>
    public static FieldPath ParseField(string text, string field)
    {
        if (Encoding.UTF8.GetByteCount(text) > QueryLimits.FieldBytes)
        {
            throw new QuerySyntaxException(field, $"a field has at most {QueryLimits.FieldBytes} bytes", QueryRule.Limit);
        }

        var lexer = new FilterLexer(text, field);
        var path = PathOf(lexer, lexer.Next());
        var rest = lexer.Next();
        return rest.Kind == TokenKind.End ? path : throw lexer.Error(rest.Position, "expected the end of the field", QueryRule.Field);
    }

    /// <summary>Fields by their names, separated by commas, each once.</summary>
    /// <exception cref="QuerySyntaxException">One of them does not exist, or is there twice.</exception>
    public static ImmutableArray<FieldPath> ParseFields(string text, string field)
    {
        if (Encoding.UTF8.GetByteCount(text) > QueryLimits.OrderBytes)
        {
            throw new QuerySyntaxException(field, $"a list of fields has at most {QueryLimits.OrderBytes} bytes", QueryRule.Limit);
        }

        var lexer = new FilterLexer(text, field);
        var paths = ImmutableArray.CreateBuilder<FieldPath>();
        for (; ; )
        {
            var token = lexer.Next();
            var path = PathOf(lexer, token);
            if (paths.Contains(path))
            {
                throw lexer.Error(token.Position, $"`{path}` is there twice", QueryRule.Field);
            }

            paths.Add(path);
            token = lexer.Next();
            if (token.Kind == TokenKind.End)
            {
                return paths.ToImmutable();
            }

            if (!token.IsSymbol(","))
            {
                throw lexer.Error(token.Position, "expected `,` or the end of the fields", QueryRule.Field);
            }
        }
    }

    private static FieldPath PathOf(FilterLexer lexer, Token token)
    {
        if (token.Kind != TokenKind.Path)
        {
            throw lexer.Error(token.Position, "expected a field: `data.title`, `create_time`", QueryRule.Field);
        }

        try
        {
            return FieldPath.Of(token.Text, token.Keys);
        }
        catch (FormatException exception)
        {
            throw lexer.Error(token.Position, exception.Message, QueryRule.Field);
        }
    }

    private static DocumentOrder Checked(ImmutableArray<OrderKey> keys, string field, Func<string, int, string> nameOf)
    {
        if (keys.Length > QueryLimits.OrderKeys)
        {
            throw new QuerySyntaxException(field, $"an order has at most {QueryLimits.OrderKeys} keys", QueryRule.Limit);
        }

        for (var i = 1; i < keys.Length; i++)
        {
            if (keys.Take(i).Any(key => key.Field.Equals(keys[i].Field)))
            {
                throw new QuerySyntaxException(nameOf(field, i), $"`{keys[i].Field}` orders twice", QueryRule.Field);
            }
        }

        return DocumentOrder.Of(keys);
    }

    private static string Item(string field, int index) => string.Create(CultureInfo.InvariantCulture, $"{field}[{index}]");
}
