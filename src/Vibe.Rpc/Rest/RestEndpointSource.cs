using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Routing;
using Vibe.Rpc.Calls;
using Vibe.Rpc.Hosting;

namespace Vibe.Rpc.Rest;

/// <summary>Maps the methods that have a <c>google.api.http</c> annotation.</summary>
internal sealed class RestEndpointSource(RestServer server) : IRpcEndpointSource
{
    public IEnumerable<IEndpointConventionBuilder> Map(IEndpointRouteBuilder endpoints, RpcMethod method)
    {
        var bindings = HttpRules.Of(method.Descriptor, server.Fields);
        if (bindings.Count == 0)
        {
            return [];
        }

        // One per route builder: it alone knows the group's prefix and conventions.
        var source = endpoints.DataSources.OfType<RestEndpointDataSource>().FirstOrDefault();
        if (source is null)
        {
            endpoints.DataSources.Add(source = new());
        }

        return [.. bindings.Select(binding => source.Add(new(method, binding, server)))];
    }
}
