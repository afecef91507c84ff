namespace Vibe.Rpc.Rest;

/// <summary>
/// Parses the grammar that the comments of <c>google.api.HttpRule</c> give:
/// <code>
/// Template = "/" Segments [ ":" LITERAL ] ;
/// Segments = Segment { "/" Segment } ;
/// Segment  = "*" | "**" | LITERAL | Variable ;
/// Variable = "{" IDENT { "." IDENT } [ "=" Segments ] "}" ;
/// </code>
/// with its two further rules: <c>**</c> only at the end, and no variable inside a variable.
/// </summary>
internal sealed class PathTemplateParser(string text)
{
    private readonly List<PathToken> _tokens = PathTemplateScanner.Scan(text);
    private readonly List<PathSegment> _segments = [];
    private readonly List<PathVariable> _variables = [];
    private int _next;

    private PathToken Current => _tokens[_next];

    public PathTemplate Parse()
    {
        Expect(PathTokenKind.Slash, "a path starts with '/'");
        ParseSegments(insideVariable: false);
        var verb = Accept(PathTokenKind.Colon) ? Expect(PathTokenKind.Literal, "a verb follows ':'").Text : "";
        Expect(PathTokenKind.End, "the end, '/' or ':' was expected");
        return new(text, _segments, _variables, verb);
    }

    private void ParseSegments(bool insideVariable)
    {
        do
        {
            if (_segments is [.., { Kind: PathSegmentKind.Rest }])
            {
                throw Error("nothing but a verb may follow '**'");
            }

            ParseSegment(insideVariable);
        }
        while (Accept(PathTokenKind.Slash));
    }

    private void ParseSegment(bool insideVariable)
    {
        switch (Current.Kind)
        {
            case PathTokenKind.Star:
                _segments.Add(new(PathSegmentKind.Any, ""));
                break;
            case PathTokenKind.DoubleStar:
                _segments.Add(new(PathSegmentKind.Rest, ""));
                break;
            // Clients and proxies resolve dot segments before they send a path, so such a template could never match.
            case PathTokenKind.Literal when Current.Text is not ("." or ".."):
                _segments.Add(new(PathSegmentKind.Literal, Current.Text));
                break;
            case PathTokenKind.OpenBrace when !insideVariable:
                ParseVariable();
                return;
            case PathTokenKind.OpenBrace:
                throw Error("a variable may not hold another");
            default:
                throw Error("a segment was expected");
        }

        _next++;
    }

    private void ParseVariable()
    {
        Expect(PathTokenKind.OpenBrace, "");
        var name = Expect(PathTokenKind.Literal, "a variable names a field");
        if (!name.Text.Split('.').All(IsIdentifier))
        {
            throw Error($"'{name.Text}' is not a field path", name);
        }

        if (_variables.Exists(variable => variable.FieldPath == name.Text))
        {
            throw Error($"'{name.Text}' is bound twice", name);
        }

        var start = _segments.Count;
        if (Accept(PathTokenKind.Equals))
        {
            ParseSegments(insideVariable: true);
        }
        else
        {
            _segments.Add(new(PathSegmentKind.Any, ""));
        }

        Expect(PathTokenKind.CloseBrace, "'}' was expected");
        var count = _segments.Count - start;
        _variables.Add(new(name.Text, start, count, count > 1 || _segments[^1].Kind == PathSegmentKind.Rest));
    }

    private static bool IsIdentifier(string name) =>
        name.Length > 0 && !char.IsAsciiDigit(name[0]) && name.All(c => char.IsAsciiLetterOrDigit(c) || c == '_');

    private bool Accept(PathTokenKind kind)
    {
        if (Current.Kind != kind)
        {
            return false;
        }

        _next++;
        return true;
    }

    private PathToken Expect(PathTokenKind kind, string problem)
    {
        var token = Current;
        return Accept(kind) ? token : throw Error(problem, token);
    }

    private FormatException Error(string problem) => Error(problem, Current);

    private FormatException Error(string problem, PathToken token) =>
        new($"path template '{text}': {problem} at position {token.Position}");
}
