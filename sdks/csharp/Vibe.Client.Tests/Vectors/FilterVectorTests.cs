using System.Linq.Expressions;
using System.Text.Json.Nodes;
using Vibe.Client.Tests.Support;
using Vibe.Documents.V1;

namespace Vibe.Client.Tests.Vectors;

/// <summary>The filter vectors as C# would say them, answered by a real server; and those that are text, refused by it.</summary>
[Collection(ServerCollection.Name)]
public sealed class FilterVectorTests(SharedServer server)
{
    private static readonly ParameterExpression Body = Expression.Parameter(typeof(JsonObject), "n");

    [Theory]
    [InlineData("logic.json", 10)]
    [InlineData("numbers.json", 10)]
    [InlineData("strings.json", 10)]
    [InlineData("types.json", 10)]
    public async Task What_the_expression_says_matches_what_the_vector_says(string file, int atLeast)
    {
        var vectors = Repository.Vector("filter", file);
        using var vibe = await server.Vibe.ClientAsync("filters");
        var places = vibe.Collection(server.NewName("places"));
        var names = new Dictionary<string, string>();
        foreach (var chunk in FilterVectors.Documents(vectors).Chunk(100))
        {
            var answer = await vibe.Documents.BatchWriteDocumentsAsync(new()
            {
                Writes = { chunk.Select(pair => new Write { Create = new Document { Collection = places.Name, Data = pair.Value.Data } }) },
            });
            foreach (var (written, (name, _)) in answer.Documents.Zip(chunk))
            {
                names[written.Id] = name;
            }
        }

        var said = 0;
        foreach (var found in vectors["cases"]!.AsArray())
        {
            if (ExpressionOf(found!["message"]!) is not { } expression)
            {
                continue;
            }

            var query = places.Where(Expression.Lambda<Func<JsonObject, bool>>(expression, Body));
            List<string> matches = [];
            await foreach (var document in query.ReadAllAsync())
            {
                matches.Add(names[document.Id]);
            }

            Assert.True(
                found["matches"]!.AsArray().Select(static name => (string)name!).Order(StringComparer.Ordinal).SequenceEqual(matches.Order(StringComparer.Ordinal)),
                $"{found["text"]}: {query.Spec.FilterText} matches {string.Join(", ", matches)}");
            said++;
        }

        Assert.True(said >= atLeast, $"only {said} cases can be said in C#");
    }

    [Fact]
    public async Task What_must_be_refused_is_refused()
    {
        using var vibe = await server.Vibe.ClientAsync("filters");
        foreach (var found in Repository.Vector("filter", "errors.json")["cases"]!.AsArray().Where(static found => ((string?)found!["text"])!.Length > 0))
        {
            var failure = await Assert.ThrowsAsync<VibeException>(() => vibe.Collection("places").Where((string)found!["text"]!).ReadOnceAsync());
            Assert.Equal("INVALID_ARGUMENT", failure.Reason);
        }
    }

    // The condition as an expression tree over n["a"]["b"]; null when C# cannot say it: times, core fields, and the two nulls.
    private static Expression? ExpressionOf(JsonNode message)
    {
        if (message["compare"] is { } comparison)
        {
            return Comparison(comparison);
        }

        if (message["not"] is { } not)
        {
            return ExpressionOf(not) is { } part ? Expression.Not(part) : null;
        }

        var isAnd = message["and"] is not null;
        Expression all = Expression.Constant(isAnd);
        foreach (var part in (message["and"] ?? message["or"])?["filters"]?.AsArray() ?? [])
        {
            if (ExpressionOf(part!) is not { } next)
            {
                return null;
            }

            all = isAnd ? Expression.AndAlso(all, next) : Expression.OrElse(all, next);
        }

        return message["and"] is null && message["or"] is null ? null : all;
    }

    private static Expression? Comparison(JsonNode comparison)
    {
        var path = FilterVectors.Field((string)comparison["field"]!);
        var value = ValueOf(comparison["value"]);
        var isList = comparison["value"] is JsonArray;
        if (path.Core is not null || (value is null && !isList && (string?)comparison["op"] is not "OPERATOR_EXISTS"))
        {
            return null;
        }

        Expression field = Body;
        foreach (var key in path.Keys)
        {
            field = Expression.Call(field, typeof(JsonNode).GetMethod("get_Item", [typeof(string)])!, Expression.Constant(key));
        }

        var type = value?.GetType() ?? typeof(object);
        var typed = type == typeof(object) ? field : Expression.Call(field, typeof(JsonNode).GetMethod(nameof(JsonNode.GetValue))!.MakeGenericMethod(type));
        return (string)comparison["op"]! switch
        {
            "OPERATOR_EQ" => Expression.Equal(typed, Expression.Constant(value)),
            "OPERATOR_NE" => Expression.NotEqual(typed, Expression.Constant(value)),
            "OPERATOR_LT" => Ordered(ExpressionType.LessThan),
            "OPERATOR_LE" => Ordered(ExpressionType.LessThanOrEqual),
            "OPERATOR_GT" => Ordered(ExpressionType.GreaterThan),
            "OPERATOR_GE" => Ordered(ExpressionType.GreaterThanOrEqual),
            "OPERATOR_EXISTS" => Expression.Call(typeof(VibeFilter), nameof(VibeFilter.Exists), null, field),
            "OPERATOR_MATCH" => Expression.Call(typeof(VibeFilter), nameof(VibeFilter.Match), null, typed, Expression.Constant(value)),
            "OPERATOR_STARTS_WITH" => Expression.Call(typed, typeof(string).GetMethod(nameof(string.StartsWith), [typeof(string)])!, Expression.Constant(value)),
            "OPERATOR_CONTAINS" => Expression.Call(
                typeof(Enumerable), nameof(Enumerable.Contains), [typeof(object)],
                Expression.Convert(field, typeof(IEnumerable<object>)), Expression.Convert(Expression.Constant(value), typeof(object))),
            "OPERATOR_IN" => Expression.Call(
                typeof(Enumerable), nameof(Enumerable.Contains), [typeof(object)],
                Expression.Constant(comparison["value"]!.AsArray().Select(ValueOf).ToList(), typeof(IEnumerable<object>)), Expression.Convert(field, typeof(object))),
            var other => throw new InvalidOperationException(other),
        };

        // C# does not order bools.
        Expression? Ordered(ExpressionType op) => value switch
        {
            string => Expression.MakeBinary(
                op, Expression.Call(typeof(string), nameof(string.CompareOrdinal), null, typed, Expression.Constant(value)), Expression.Constant(0)),

            double => Expression.MakeBinary(op, typed, Expression.Constant(value)),
            _ => null,
        };
    }

    private static object? ValueOf(JsonNode? node) => node?.GetValueKind() switch
    {
        System.Text.Json.JsonValueKind.String => (string?)node,
        System.Text.Json.JsonValueKind.Number => (double)node,
        System.Text.Json.JsonValueKind.True => true,
        System.Text.Json.JsonValueKind.False => false,
        _ => null,
    };
}
