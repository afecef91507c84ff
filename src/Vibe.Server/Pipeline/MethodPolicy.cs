using System.Collections.Frozen;
using Google.Protobuf.Reflection;
using Vibe.Options.V1;
using CostClass = Vibe.Options.V1.Cost;

namespace Vibe.Server.Pipeline;

/// <summary>What the contract says of a method: the option <c>vibe.options.v1.method</c>.</summary>
internal sealed record MethodPolicy(string FullName, Permission Permission, int Cost)
{
    /// <summary>Whether it only reads, as its <c>idempotency_level</c> says.</summary>
    public bool IsRead { get; private init; }

    /// <summary>The units of a call of <c>COST_MEDIUM</c>.</summary>
    public const int MediumCost = 5;

    /// <summary>The units of a call of <c>COST_HIGH</c>: no call costs more.</summary>
    public const int HighCost = 20;

    // Health and reflection come from public contracts that know nothing of our option.
    private static readonly string[] Open = ["/grpc.health.v1.Health/", "/grpc.reflection."];

    /// <summary>The policies of all methods, by <c>/package.Service/Method</c>.</summary>
    /// <exception cref="InvalidOperationException">A method says no permission: the server must not start.</exception>
    public static FrozenDictionary<string, MethodPolicy> ReadAll(IEnumerable<Google.Protobuf.Reflection.ServiceDescriptor> services) =>
        services.SelectMany(service => service.Methods).Select(Read).ToFrozenDictionary(policy => policy.FullName, StringComparer.Ordinal);

    /// <summary>The policy of a method no Vibe contract declares; null when there is none and the call must be refused.</summary>
    public static MethodPolicy? OfPublicContract(string fullName) =>
        Open.Any(prefix => fullName.StartsWith(prefix, StringComparison.Ordinal)) ? new(fullName, Permission.Public, Cost: 1) : null;

    private static MethodPolicy Read(MethodDescriptor method)
    {
        var rule = method.GetOptions()?.GetExtension(OptionsExtensions.Method);
        var name = $"/{method.Service.FullName}/{method.Name}";
        if (rule is null or { Permission: Permission.Unspecified })
        {
            throw new InvalidOperationException($"{name} declares no permission (option vibe.options.v1.method).");
        }

        var cost = rule.Cost switch { CostClass.High => HighCost, CostClass.Medium => MediumCost, _ => 1 };
        return new MethodPolicy(name, rule.Permission, cost)
        {
            IsRead = method.GetOptions().IdempotencyLevel == MethodOptions.Types.IdempotencyLevel.NoSideEffects,
        };
    }
}
