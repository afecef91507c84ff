using Microsoft.AspNetCore.Http;

namespace Vibe.Rpc.Rest;

/// <summary>What REST requests find their endpoints in. Metadata of the catch-all endpoints.</summary>
/// <param name="Routes">The endpoints, by HTTP method and path.</param>
/// <param name="Server">What all REST calls share.</param>
internal sealed record RestRouteTable(RouteTree<Endpoint> Routes, RestServer Server);
