namespace Vibe.Rpc.Rest;

/// <summary>How a request's path and method fit the bound ones.</summary>
internal enum RouteOutcome
{
    /// <summary>No template fits the path.</summary>
    NotFound,

    /// <summary>A template fits the path up to its last colon, but no method is bound to what follows.</summary>
    UnknownVerb,

    /// <summary>A template fits the path, but not with this HTTP method.</summary>
    MethodNotAllowed,

    /// <summary>Found.</summary>
    Matched,
}

/// <summary>The answer of a <see cref="RouteTree{T}"/>.</summary>
/// <param name="Outcome">Whether something was found, and if not, why.</param>
/// <param name="Value">What was registered; null unless matched.</param>
/// <param name="Variables">One text per variable of the template, in its order; null where the text is not valid percent-encoded UTF-8.</param>
/// <param name="Allowed">The HTTP methods that the path takes, in order, when this one is not among them.</param>
internal readonly record struct RouteMatch<T>(
    RouteOutcome Outcome, T? Value, IReadOnlyList<string?> Variables, IReadOnlyCollection<string> Allowed)
    where T : class;
