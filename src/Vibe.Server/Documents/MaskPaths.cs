using System.Collections.Immutable;
using Grpc.Core;
using Vibe.Server.Documents.Queries;
using Vibe.Server.Kernel;

namespace Vibe.Server.Documents;

/// <summary>One path of a mask: a field of the document, and for <c>data</c> the keys below it.</summary>
internal readonly record struct MaskPath(string Name, ImmutableArray<string> Keys);

/// <summary>
/// Reads the paths of <c>read_mask</c> and <c>update_mask</c>: <c>data.title</c>, <c>acl</c>, several in one string when
/// separated by commas.
/// </summary>
internal static class MaskPaths
{
    /// <summary>The paths.</summary>
    /// <param name="mask">The mask as it came.</param>
    /// <param name="field">The mask's name, for errors.</param>
    /// <param name="known">The fields it may name; only <c>data</c> takes keys.</param>
    /// <exception cref="RpcException">INVALID_ARGUMENT.</exception>
    public static List<MaskPath> Read(IList<string> mask, string field, ImmutableHashSet<string> known)
    {
        List<MaskPath> paths = [];
        for (var i = 0; i < mask.Count; i++)
        {
            try
            {
                Read(new FilterLexer(mask[i], FieldNames.Item(field, i)), known, paths);
            }
            catch (QuerySyntaxException exception)
            {
                throw VibeError.InvalidField(exception.Field, exception.Message, exception.Rule);
            }
        }

        return paths;
    }

    private static void Read(FilterLexer lexer, ImmutableHashSet<string> known, List<MaskPath> paths)
    {
        while (true)
        {
            var token = lexer.Next();
            if (token.Kind != TokenKind.Path || !known.Contains(token.Text) || (token.Text != "data" && !token.Keys.IsEmpty))
            {
                throw lexer.Error(token.Position, $"expected a path: {string.Join(", ", known.Order(StringComparer.Ordinal))}, or keys after `data.`", QueryRule.Field);
            }

            if (token.Keys.Length > QueryLimits.PathKeys)
            {
                throw lexer.Error(token.Position, $"a path has at most {QueryLimits.PathKeys} keys", QueryRule.Limit);
            }

            paths.Add(new MaskPath(token.Text, token.Keys));
            token = lexer.Next();
            if (token.Kind == TokenKind.End)
            {
                return;
            }

            if (!token.IsSymbol(","))
            {
                throw lexer.Error(token.Position, "expected `,` or the end", QueryRule.Syntax);
            }
        }
    }
}
