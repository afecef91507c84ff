using System.Globalization;
using System.Net;
using System.Threading.RateLimiting;
using Google.Protobuf.WellKnownTypes;
using Google.Rpc;
using Grpc.Core;
using Vibe.Errors.V1;
using Vibe.Server.Kernel;

namespace Vibe.Server.Pipeline;

/// <summary>How much one caller may ask for.</summary>
internal sealed record LimitOptions
{
    /// <summary>
    /// Cost units a second for one signed-in caller; a call costs 1, 5 or 20 as the contract says. Default 20,000. Ten
    /// seconds' worth may be saved up. 0 switches the limit off.
    /// </summary>
    public int UnitsPerSecond { get; init; } = 20_000;

    /// <summary>
    /// The same for all signed-out visitors of one network address: an IPv4 address, or the first 64 bits of an IPv6 address,
    /// all of which one visitor owns (RFC 6177). Default 5,000.
    /// </summary>
    public int SignedOutUnitsPerSecond { get; init; } = 5_000;
}

/// <summary>A token bucket for each caller, or for each network of signed-out visitors.</summary>
internal sealed class Limit : ICallStage, IDisposable
{
    private const int SavedSeconds = 10;

    private readonly PartitionedRateLimiter<(string Key, int Units)> _limiter;
    private readonly LimitOptions _options;

    /// <summary>Starts with full buckets.</summary>
    public Limit(LimitOptions options)
    {
        _options = options;
        _limiter = PartitionedRateLimiter.Create<(string Key, int Units), string>(caller =>
            caller.Units == 0
                ? RateLimitPartition.GetNoLimiter("")
                : RateLimitPartition.GetTokenBucketLimiter(caller.Key, _ => BucketOf(caller.Units)));
    }

    /// <inheritdoc />
    public ValueTask RunAsync(ServerCallContext call, MethodPolicy method)
    {
        var caller = call.GetCaller();
        var units = caller.IsSignedIn ? _options.UnitsPerSecond : _options.SignedOutUnitsPerSecond;
        if (units == 0)
        {
            return ValueTask.CompletedTask;
        }

        using (var lease = _limiter.AttemptAcquire((caller.Did ?? NetworkOf(call.Peer), units), method.Cost))
        {
            if (!lease.IsAcquired)
            {
                throw Exceeded(units);
            }
        }

        return ValueTask.CompletedTask;
    }

    /// <summary>Takes what a request costs that is no call of the contract, and that whoever sends it need not have signed in for.</summary>
    /// <param name="network">Where it comes from: <see cref="NetworkPrefix"/>.</param>
    /// <param name="cost">Cost units.</param>
    /// <returns>Whether the network has them left.</returns>
    public bool TryTake(string network, int cost)
    {
        if (_options.SignedOutUnitsPerSecond == 0)
        {
            return true;
        }

        using var lease = _limiter.AttemptAcquire((network, _options.SignedOutUnitsPerSecond), cost);
        return lease.IsAcquired;
    }

    /// <inheritdoc />
    public void Dispose() => _limiter.Dispose();

    /// <summary>The network a call comes from: an IPv4 address, or the first 64 bits of an IPv6 address. Empty for others.</summary>
    /// <param name="peer"><c>ServerCallContext.Peer</c>: <c>ipv4:address:port</c> or <c>ipv6:[address]:port</c>.</param>
    public static string NetworkOf(string peer)
    {
        var host = peer.AsSpan(0, Math.Max(0, peer.LastIndexOf(':')));
        return NetworkPrefix.Of(IPAddress.TryParse(host[(host.IndexOf(':') + 1)..], out var address) ? address : null);
    }

    /// <summary>How a bucket fills up: ten times a second where that is whole units.</summary>
    /// <param name="units">Cost units a second.</param>
    internal static TokenBucketRateLimiterOptions BucketOf(int units)
    {
        var period = Math.Max(1, units / 10);
        return new()
        {
            // A bucket too small for the dearest call would never let it pass.
            TokenLimit = Math.Max(units * SavedSeconds, MethodPolicy.HighCost),
            TokensPerPeriod = period,
            ReplenishmentPeriod = TimeSpan.FromSeconds((double)period / units),
            QueueLimit = 0,
        };
    }

    private static RpcException Exceeded(int units) => VibeError.Create(
        StatusCode.ResourceExhausted, ErrorReason.RateLimited, $"Too many calls: {units} cost units a second are allowed.",
        [("limit", units.ToString(CultureInfo.InvariantCulture))],
        new RetryInfo { RetryDelay = Duration.FromTimeSpan(TimeSpan.FromSeconds(1)) });
}
