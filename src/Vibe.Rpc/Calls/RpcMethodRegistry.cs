using System.Collections.Immutable;

namespace Vibe.Rpc.Calls;

/// <summary>The methods of all mapped services, in the order of mapping. Filled at start-up; reading is thread-safe at any time.</summary>
public sealed class RpcMethodRegistry
{
    private ImmutableArray<RpcMethod> _methods = [];

    /// <summary>The methods mapped so far.</summary>
    public IReadOnlyList<RpcMethod> Methods => _methods;

    internal void Add(RpcMethod method) => ImmutableInterlocked.Update(ref _methods, static (methods, added) => methods.Add(added), method);
}
