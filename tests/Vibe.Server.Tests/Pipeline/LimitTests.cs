using Grpc.Core;
using Vibe.Options.V1;
using Vibe.Server.Kernel;
using Vibe.Server.Pipeline;
using Vibe.Server.Tests.Documents;

namespace Vibe.Server.Tests.Pipeline;

/// <summary>Whose calls are counted together.</summary>
public sealed class LimitTests
{
    private static readonly MethodPolicy Dear = new("/test/Dear", Permission.Public, MethodPolicy.HighCost);

    [Theory]
    [InlineData("ipv4:192.0.2.1:1", "ipv4:192.0.2.1:2", true)]
    [InlineData("ipv4:192.0.2.1:1", "ipv4:192.0.2.2:1", false)]
    [InlineData("ipv6:[2001:db8:1:2::1]:1", "ipv6:[2001:db8:1:2:ffff:eeee:dddd:cccc]:2", true)]
    [InlineData("ipv6:[2001:db8:1:2::1]:1", "ipv6:[2001:db8:1:3::1]:1", false)]
    [InlineData("ipv6:[::ffff:192.0.2.1]:1", "ipv4:192.0.2.1:1", true)]
    [InlineData("ipv6:[::ffff:192.0.2.1]:1", "ipv6:[::ffff:192.0.2.2]:1", false)]
    [InlineData("ipv6:[fe80::1%3]:1", "ipv6:[fe80::2%3]:1", true)]
    [InlineData("unknown", "unknown", true)]
    [InlineData("unknown", "ipv4:192.0.2.1:1", false)]
    public async Task Visitors_of_one_network_share_a_bucket(string first, string second, bool shared)
    {
        using var limit = new Limit(new() { SignedOutUnitsPerSecond = 1 });
        Assert.Null(await CallAsync(limit, Caller.SignedOut, first));
        Assert.Equal(shared, await CallAsync(limit, Caller.SignedOut, second) is not null);
    }

    [Fact]
    public async Task Signed_in_callers_have_their_own_wherever_they_are()
    {
        using var limit = new Limit(new() { UnitsPerSecond = 1, SignedOutUnitsPerSecond = 1 });
        var (alice, bob) = (new Caller { Did = "did:web:a" }, new Caller { Did = "did:web:b" });
        Assert.Null(await CallAsync(limit, alice, "ipv4:192.0.2.1:1"));
        Assert.Null(await CallAsync(limit, bob, "ipv4:192.0.2.1:1"));
        Assert.Null(await CallAsync(limit, Caller.SignedOut, "ipv4:192.0.2.1:1"));
        Assert.Equal(StatusCode.ResourceExhausted, (await CallAsync(limit, alice, "ipv4:192.0.2.9:1"))?.StatusCode);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(9)]
    [InlineData(15)]
    [InlineData(20_000)]
    public void A_bucket_fills_up_as_fast_as_it_is_told(int units)
    {
        var bucket = Limit.BucketOf(units);
        Assert.Equal(units, bucket.TokensPerPeriod / bucket.ReplenishmentPeriod.TotalSeconds, tolerance: units / 1000.0);
    }

    private static async Task<RpcException?> CallAsync(Limit limit, Caller caller, string peer)
    {
        try
        {
            await limit.RunAsync(new FakeCall(caller) { From = peer }, Dear);
            return null;
        }
        catch (RpcException exception)
        {
            return exception;
        }
    }
}
