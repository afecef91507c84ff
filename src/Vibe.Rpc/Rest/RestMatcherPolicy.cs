using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.AspNetCore.Routing.Matching;

namespace Vibe.Rpc.Rest;

/// <summary>
/// Replaces a REST catch-all by the endpoint that the path and the HTTP method are bound to, so that every middleware after routing
/// sees the real endpoint with its metadata.
/// </summary>
internal sealed class RestMatcherPolicy : MatcherPolicy, IEndpointSelectorPolicy
{
    /// <inheritdoc/>
    public override int Order => 0;

    /// <inheritdoc/>
    public bool AppliesToEndpoints(IReadOnlyList<Endpoint> endpoints)
    {
        ArgumentNullException.ThrowIfNull(endpoints);
        return endpoints.Any(endpoint => endpoint.Metadata.GetMetadata<RestRouteTable>() is not null);
    }

    /// <inheritdoc/>
    public Task ApplyAsync(HttpContext httpContext, CandidateSet candidates)
    {
        ArgumentNullException.ThrowIfNull(httpContext);
        ArgumentNullException.ThrowIfNull(candidates);
        RestRouteTable? done = null;
        for (var i = 0; i < candidates.Count; i++)
        {
            if (!candidates.IsValidCandidate(i) || candidates[i].Endpoint?.Metadata.GetMetadata<RestRouteTable>() is not { } table)
            {
                continue;
            }

            // One table has several catch-alls when one of them is for any first segment.
            if (table == done || !Resolve(httpContext, candidates, i, table))
            {
                candidates.SetValidity(i, false);
            }

            done = table;
        }

        return Task.CompletedTask;
    }

    private static bool Resolve(HttpContext http, CandidateSet candidates, int index, RestRouteTable table)
    {
        var path = RequestPath.Of(http.Request);
        var method = MethodOf(http.Request);
        var match = table.Routes.Find(method, path);
        switch (match.Outcome)
        {
            case RouteOutcome.Matched when HttpMethods.IsHead(http.Request.Method) && RouteOf(match.Value).Method.ServerStreams:
                candidates.ReplaceEndpoint(index, RestAnswers.MethodNotAllowed(table.Server, [RouteOf(match.Value).Binding.HttpMethod]), null);
                return true;
            case RouteOutcome.Matched:
                candidates.ReplaceEndpoint(index, match.Value, RouteValues(http, match));
                return true;
            case RouteOutcome.MethodNotAllowed:
                candidates.ReplaceEndpoint(index, RestAnswers.MethodNotAllowed(table.Server, match.Allowed), null);
                return true;
            case RouteOutcome.UnknownVerb:
                candidates.ReplaceEndpoint(index, RestAnswers.UnknownVerb(table.Server), null);
                return true;
            default:
                // The endpoint of the catch-all says so in JSON, unless somebody else knows the path.
                return !AnyOther(candidates, index) && path.Length > 1;
        }
    }

    // HEAD asks for what GET would answer (RFC 9110 §9.3.2), and a CORS preflight about the method that it names.
    private static string MethodOf(HttpRequest request) =>
        HttpMethods.IsHead(request.Method) ? HttpMethods.Get
        : HttpMethods.IsOptions(request.Method) && request.Headers.Origin.Count > 0
            && request.Headers.AccessControlRequestMethod is [{ } requested] ? HttpMethods.GetCanonicalizedValue(requested)
        : request.Method;

    private static RestRoute RouteOf(Endpoint? endpoint) => endpoint!.Metadata.GetRequiredMetadata<RestRoute>();

    private static RouteValueDictionary? RouteValues(HttpContext http, in RouteMatch<Endpoint> match)
    {
        if (match.Variables.Count == 0)
        {
            return null;
        }

        // Authorization and the like look at route values, the call at the variables, which also say what could not be decoded.
        http.Features.Set(new RestVariables(match.Variables));
        var values = new RouteValueDictionary();
        var variables = RouteOf(match.Value).Binding.Variables;
        for (var i = 0; i < variables.Count; i++)
        {
            values[variables[i].Text] = match.Variables[i];
        }

        return values;
    }

    private static bool AnyOther(CandidateSet candidates, int index)
    {
        for (var i = 0; i < candidates.Count; i++)
        {
            if (i != index && candidates.IsValidCandidate(i) && candidates[i].Endpoint?.Metadata.GetMetadata<RestRouteTable>() is null)
            {
                return true;
            }
        }

        return false;
    }
}
