using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.AspNetCore.Routing.Patterns;
using Microsoft.Extensions.FileProviders;
using Microsoft.Extensions.Primitives;

namespace Vibe.Rpc.Rest;

/// <summary>
/// The REST endpoints of one route builder. Each binding is an endpoint with its own metadata, which the framework's matcher leaves
/// alone; what it matches is one catch-all for each first segment, which <see cref="RestMatcherPolicy"/> replaces with the binding's
/// endpoint before any middleware looks.
/// </summary>
internal sealed class RestEndpointDataSource : EndpointDataSource
{
    private readonly List<(RestRoute Route, Conventions Conventions)> _routes = [];

    // Kept besides the trees of endpoints, which are built later: a conflict must stop the mapping itself.
    private readonly RouteTree<RestRoute> _taken = new();

    /// <inheritdoc/>
    public override IReadOnlyList<Endpoint> Endpoints => Build("", [], []);

    /// <inheritdoc/>
    public override IChangeToken GetChangeToken() => NullChangeToken.Singleton;

    /// <inheritdoc/>
    public override IReadOnlyList<Endpoint> GetGroupedEndpoints(RouteGroupContext context)
    {
        var prefix = context.Prefix;
        return prefix.Parameters.Count == 0
            ? Build("/" + (prefix.RawText ?? "").Trim('/'), context.Conventions, context.FinallyConventions)
            : throw new InvalidOperationException($"REST endpoints cannot be in the group '{prefix.RawText}': its prefix has parameters.");
    }

    /// <summary>Adds a binding.</summary>
    /// <exception cref="InvalidOperationException">The same request is bound to another method already.</exception>
    public IEndpointConventionBuilder Add(RestRoute route)
    {
        if (!_taken.TryAdd(route.Binding.Template, route.Binding.HttpMethod, route, out var other))
        {
            throw new InvalidOperationException(
                $"google.api.http of {route.Binding.Method.FullName}: {route.Binding} is {other!.Binding} of {other.Binding.Method.FullName} already.");
        }

        var conventions = new Conventions();
        _routes.Add((route, conventions));
        return conventions;
    }

    private List<Endpoint> Build(
        string prefix, IReadOnlyList<Action<EndpointBuilder>> before, IReadOnlyList<Action<EndpointBuilder>> last)
    {
        prefix = prefix.TrimEnd('/');
        var tree = new RouteTree<Endpoint>();
        var endpoints = new List<Endpoint>();
        var firstSegments = new SortedSet<string>(StringComparer.Ordinal);
        foreach (var (route, conventions) in _routes)
        {
            var template = PathTemplate.Parse(prefix + route.Binding.Template.Text);
            var endpoint = BuildBinding(route, template, [.. before, .. conventions.Start], [.. conventions.End, .. last]);
            tree.TryAdd(template, route.Binding.HttpMethod, endpoint, out _);
            endpoints.Add(endpoint);
            firstSegments.UnionWith(FirstSegments(template));
        }

        if (_routes.Count == 0)
        {
            return endpoints;
        }

        var table = new RestRouteTable(tree, _routes[0].Route.Server);
        endpoints.AddRange(firstSegments.Select(segment => BuildCatchAll(segment, table)));
        return endpoints;
    }

    private static Endpoint BuildBinding(
        RestRoute route, PathTemplate template, List<Action<EndpointBuilder>> conventions, List<Action<EndpointBuilder>> last)
    {
        // The pattern only names the endpoint, for logs and traces; a route pattern cannot say what a path template can.
        var pattern = RoutePatternFactory.Pattern(template.Text, RoutePatternFactory.Segment(RoutePatternFactory.LiteralPart("rest")));
        var builder = new RouteEndpointBuilder(http => RestAnswers.CallAsync(http, route), pattern, order: 0)
        {
            DisplayName = $"REST - {route.Binding.HttpMethod} {template.Text}",
        };
        builder.Metadata.Add(new SuppressMatchingMetadata());
        builder.Metadata.Add(new HttpMethodMetadata([route.Binding.HttpMethod]));
        builder.Metadata.Add(route);
        conventions.ForEach(convention => convention(builder));
        last.ForEach(convention => convention(builder));
        return builder.Build();
    }

    private static RouteEndpoint BuildCatchAll(string firstSegment, RestRouteTable table)
    {
        var pattern = RoutePatternFactory.Parse(firstSegment.Length == 0 ? "/{**path}" : $"/{firstSegment}/{{**path}}");
        return new(http => RestAnswers.NotFoundAsync(http, table.Server), pattern, order: 0, new(table), $"REST - {pattern.RawText}");
    }

    // The framework matches it decoded and in any case; the table then looks at what was sent.
    private static IEnumerable<string> FirstSegments(PathTemplate template)
    {
        if (template.Segments[0] is not { Kind: PathSegmentKind.Literal, Literal: var literal })
        {
            yield return "";
            yield break;
        }

        // Without further segments the verb is a part of the first one; a '**' may stand for none.
        if (template.Segments.Count == 1 || (template.Segments[1].Kind == PathSegmentKind.Rest && template.Verb.Length > 0))
        {
            yield return template.Verb.Length == 0 ? literal : $"{literal}:{template.Verb}";
        }

        if (template.Segments.Count > 1)
        {
            yield return literal;
        }
    }

    private sealed class Conventions : IEndpointConventionBuilder
    {
        public List<Action<EndpointBuilder>> Start { get; } = [];

        public List<Action<EndpointBuilder>> End { get; } = [];

        public void Add(Action<EndpointBuilder> convention) => Start.Add(convention);

        public void Finally(Action<EndpointBuilder> finallyConvention) => End.Add(finallyConvention);
    }
}
