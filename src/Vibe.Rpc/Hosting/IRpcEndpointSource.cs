using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Routing;
using Vibe.Rpc.Calls;

namespace Vibe.Rpc.Hosting;

/// <summary>A family of protocols that a method is reachable through. All registered sources are asked for every mapped method.</summary>
internal interface IRpcEndpointSource
{
    /// <summary>Maps the endpoints of a method; none when it is not reachable through this family.</summary>
    IEnumerable<IEndpointConventionBuilder> Map(IEndpointRouteBuilder endpoints, RpcMethod method);
}
