namespace Vibe.Server.Documents.Queries;

/// <summary>
/// A query that breaks a rule. <see cref="QueryReader"/> turns it into INVALID_ARGUMENT; nothing else leaves the readers.
/// </summary>
internal sealed class QuerySyntaxException(string field, string description, string rule) : Exception(description)
{
    /// <summary>The field of the request, named as JSON names it.</summary>
    public string Field { get; } = field;

    /// <summary>Which rule: one of <see cref="QueryRule"/>.</summary>
    public string Rule { get; } = rule;
}

/// <summary>The rules a query can break, as they stand in a BadRequest field violation.</summary>
internal static class QueryRule
{
    /// <summary>The text form is not well-formed.</summary>
    public const string Syntax = "query.syntax";

    /// <summary>There is no such field, or its path is not well-formed.</summary>
    public const string Field = "query.field";

    /// <summary>The operator is missing or unknown.</summary>
    public const string Operator = "query.operator";

    /// <summary>The value does not fit the operator.</summary>
    public const string Value = "query.value";

    /// <summary>The query is larger than <see cref="QueryLimits"/> allow.</summary>
    public const string Limit = "query.limit";
}

/// <summary>How large a query may be.</summary>
internal static class QueryLimits
{
    /// <summary>Comparisons in a filter.</summary>
    public const int Comparisons = 100;

    /// <summary>Levels of a filter; a comparison is one level, what stands around it one more each.</summary>
    public const int Depth = 10;

    /// <summary>Items of a list, and conditions of one and/or.</summary>
    public const int Items = 100;

    /// <summary>Bytes of a filter's text form, and of one string in it.</summary>
    public const int TextBytes = 8192;

    /// <summary>Bytes of a field's name.</summary>
    public const int FieldBytes = 512;

    /// <summary>Keys after <c>data</c>.</summary>
    public const int PathKeys = 20;

    /// <summary>Keys to order by.</summary>
    public const int OrderKeys = 5;

    /// <summary>Bytes of the text form of an order.</summary>
    public const int OrderBytes = 2048;

    /// <summary>Code points of a string that count for its place in an order.</summary>
    public const int OrderedCodePoints = 500;
}
