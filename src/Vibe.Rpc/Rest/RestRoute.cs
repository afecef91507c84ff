using Vibe.Rpc.Calls;

namespace Vibe.Rpc.Rest;

/// <summary>A method as one HTTP request reaches it. Part of the endpoint's metadata.</summary>
/// <param name="Method">The method.</param>
/// <param name="Binding">The request.</param>
/// <param name="Server">What all REST calls share.</param>
internal sealed record RestRoute(RpcMethod Method, HttpBinding Binding, RestServer Server);

/// <summary>What the path of a request holds for the variables of its route; null where it is not percent-encoded UTF-8.</summary>
internal sealed record RestVariables(IReadOnlyList<string?> Values)
{
    public static readonly RestVariables None = new([]);
}
