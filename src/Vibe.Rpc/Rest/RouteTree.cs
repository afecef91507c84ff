namespace Vibe.Rpc.Rest;

/// <summary>
/// Finds what is bound to an HTTP method and a path. Differs from the framework's router in what HttpRule needs: exact case,
/// no trailing slash, verbs after a colon (also after <c>**</c>), and text decoded from the request target as it was sent.
/// A literal segment goes before <c>*</c>, and <c>*</c> before <c>**</c>; where the better template has no binding for the
/// HTTP method, the next one is tried. Empty and dot segments never match.
/// Built at start-up; finding is safe from any thread.
/// </summary>
internal sealed class RouteTree<T>
    where T : class
{
    // A request line is at most 8 KiB by default; deeper paths than this only cost an array.
    private const int StackSegments = 32;

    private readonly Node _root = new();

    /// <summary>Registers a value; false when the same path and HTTP method are taken, and by what.</summary>
    public bool TryAdd(PathTemplate template, string httpMethod, T value, out T? taken)
    {
        var node = _root;
        foreach (var segment in template.Segments)
        {
            node = segment.Kind switch
            {
                PathSegmentKind.Literal => node.Literal(segment.Literal),
                PathSegmentKind.Any => node.Any ??= new(),
                _ => node.Rest ??= new(),
            };
        }

        if (!node.Ends.TryGetValue(template.Verb, out var methods))
        {
            node.Ends.Add(template.Verb, methods = new(StringComparer.Ordinal));
        }

        taken = methods.GetValueOrDefault(httpMethod)?.Value;
        return methods.TryAdd(httpMethod, new(template, value));
    }

    /// <summary>Finds what is bound to the path, given as sent and without a query.</summary>
    public RouteMatch<T> Find(string httpMethod, ReadOnlySpan<char> path)
    {
        if (path is not ['/', _, ..])
        {
            return default;
        }

        // The verb is what follows the last colon that was sent as such: an encoded colon is part of a value.
        var colon = path[path.LastIndexOf('/')..].LastIndexOf(':');
        var verb = colon < 0 ? default : path[(path.LastIndexOf('/') + colon + 1)..];
        var body = colon < 0 ? path[1..] : path[1..(path.LastIndexOf('/') + colon)];
        if (colon >= 0 && verb.IsEmpty)
        {
            return default;
        }

        var count = body.Count('/') + 1;
        Span<Range> segments = count <= StackSegments ? stackalloc Range[count] : new Range[count];
        body.Split(segments, '/');
        foreach (var segment in segments)
        {
            if (body[segment] is "" || IsDots(body[segment]))
            {
                return default;
            }
        }

        var search = new Search(httpMethod, body, segments, verb);
        return search.Run(_root);
    }

    private static bool IsDots(ReadOnlySpan<char> segment) =>
        segment[0] is '.' or '%' && UrlText.TryDecode(segment, UrlPart.Segment, out var text) && text is "." or "..";

    private sealed record End(PathTemplate Template, T Value);

    private sealed class Node
    {
        public Dictionary<string, Node> Literals { get; } = new(StringComparer.Ordinal);

        public Node? Any { get; set; }

        public Node? Rest { get; set; }

        /// <summary>What ends here, by verb and then by HTTP method.</summary>
        public Dictionary<string, Dictionary<string, End>> Ends { get; } = new(StringComparer.Ordinal);

        public Node Literal(string text)
        {
            if (!Literals.TryGetValue(text, out var node))
            {
                Literals.Add(text, node = new());
            }

            return node;
        }

        public Node? FindLiteral(ReadOnlySpan<char> raw)
        {
            if (Literals.Count == 0)
            {
                return null;
            }

            var lookup = Literals.GetAlternateLookup<ReadOnlySpan<char>>();
            return raw.Contains('%')
                ? UrlText.TryDecode(raw, UrlPart.Segment, out var text) ? Literals.GetValueOrDefault(text) : null
                : lookup.TryGetValue(raw, out var node) ? node : null;
        }
    }

    private ref struct Search(
        string httpMethod, ReadOnlySpan<char> path, ReadOnlySpan<Range> segments, ReadOnlySpan<char> verb)
    {
        private readonly ReadOnlySpan<char> _path = path;
        private readonly ReadOnlySpan<Range> _segments = segments;
        private readonly ReadOnlySpan<char> _verb = verb;
        private SortedSet<string>? _allowed;
        private bool _knownWithoutVerb;

        public RouteMatch<T> Run(Node root)
        {
            if (Visit(root, 0) is { } end)
            {
                return new(RouteOutcome.Matched, end.Value, Variables(end.Template), []);
            }

            return _allowed is not null ? new(RouteOutcome.MethodNotAllowed, null, [], _allowed)
                : _knownWithoutVerb ? new(RouteOutcome.UnknownVerb, null, [], [])
                : default;
        }

        private End? Visit(Node node, int depth)
        {
            if (depth == _segments.Length)
            {
                return Ending(node) ?? (node.Rest is null ? null : Ending(node.Rest));
            }

            var raw = _path[_segments[depth]];
            return (node.FindLiteral(raw) is { } literal ? Visit(literal, depth + 1) : null)
                ?? (node.Any is null ? null : Visit(node.Any, depth + 1))
                ?? (node.Rest is null ? null : Ending(node.Rest));
        }

        private End? Ending(Node node)
        {
            if (!node.Ends.GetAlternateLookup<ReadOnlySpan<char>>().TryGetValue(_verb, out var methods))
            {
                _knownWithoutVerb |= node.Ends.Count > 0 && !_verb.IsEmpty;
                return null;
            }

            if (methods.TryGetValue(httpMethod, out var end))
            {
                return end;
            }

            (_allowed ??= new(StringComparer.Ordinal)).UnionWith(methods.Keys);
            return null;
        }

        private readonly string?[] Variables(PathTemplate template)
        {
            var values = new string?[template.Variables.Count];
            for (var i = 0; i < values.Length; i++)
            {
                var variable = template.Variables[i];
                // A '**' takes whatever is left, also nothing.
                var isRest = template.Segments[variable.Start + variable.Count - 1].Kind == PathSegmentKind.Rest;
                var end = isRest ? _segments.Length : variable.Start + variable.Count;
                var text = variable.Start >= end ? "" : _path[_segments[variable.Start].Start.._segments[end - 1].End];
                UrlText.TryDecode(text, variable.IsMultiSegment ? UrlPart.Segments : UrlPart.Segment, out values[i]);
            }

            return values;
        }
    }
}
