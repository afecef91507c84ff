namespace Vibe.Rpc.Rest;

/// <summary>What one segment of a path template accepts.</summary>
internal enum PathSegmentKind
{
    /// <summary>Exactly one text.</summary>
    Literal,

    /// <summary>Any one segment that is not empty: <c>*</c>.</summary>
    Any,

    /// <summary>All remaining segments, also none: <c>**</c>.</summary>
    Rest,
}

/// <summary>One segment of a path template.</summary>
/// <param name="Kind">What it accepts.</param>
/// <param name="Literal">The text of a literal, else empty.</param>
internal readonly record struct PathSegment(PathSegmentKind Kind, string Literal);

/// <summary>A request field that a part of the path sets.</summary>
/// <param name="FieldPath">Names of fields joined by dots, as in the .proto file.</param>
/// <param name="Start">Index of its first segment.</param>
/// <param name="Count">How many segments of the template it covers.</param>
/// <param name="IsMultiSegment">Whether it may hold a slash: an encoded slash (<c>%2F</c>) inside it then stays encoded, to differ from one.</param>
internal readonly record struct PathVariable(string FieldPath, int Start, int Count, bool IsMultiSegment);

/// <summary>
/// The path of a <c>google.api.HttpRule</c>, parsed: <c>/v1/{name=shelves/*/books/*}:read</c>.
/// </summary>
/// <param name="Text">As written in the rule.</param>
/// <param name="Segments">At least one; only the last may be <see cref="PathSegmentKind.Rest"/>.</param>
/// <param name="Variables">In the order of the path; they do not overlap.</param>
/// <param name="Verb">The text after the colon; empty for none.</param>
internal sealed record PathTemplate(
    string Text, IReadOnlyList<PathSegment> Segments, IReadOnlyList<PathVariable> Variables, string Verb)
{
    /// <summary>Parses a template.</summary>
    /// <exception cref="FormatException">The text is not a path template; the message says what and where.</exception>
    public static PathTemplate Parse(string text) => new PathTemplateParser(text).Parse();
}
