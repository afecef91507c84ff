using System.Globalization;
using FsCheck;
using FsCheck.Fluent;
using Vibe.Rpc.Wire;

namespace Vibe.Rpc.Tests.Core.Wire;

public sealed class RpcTimeoutTests
{
    [Theory]
    [InlineData("1n", 1)]
    [InlineData("100n", 1)]
    [InlineData("101n", 2)]
    [InlineData("1u", 10)]
    [InlineData("1m", 10_000)]
    [InlineData("1S", 10_000_000)]
    [InlineData("2M", 1_200_000_000)]
    [InlineData("1H", 36_000_000_000)]
    [InlineData("0S", 0)]
    [InlineData("99999999H", 99_999_999 * 36_000_000_000)]
    public void Every_unit_is_read(string text, long ticks)
    {
        Assert.True(RpcTimeout.TryParseGrpc(text, out var timeout));
        Assert.Equal(ticks, timeout.Ticks);
    }

    [Theory]
    [InlineData("")]
    [InlineData("S")]
    [InlineData("1")]
    [InlineData("1s")]
    [InlineData("-1S")]
    [InlineData("+1S")]
    [InlineData(" 1S")]
    [InlineData("1.5S")]
    [InlineData("123456789S")]
    [InlineData("١S")]
    public void A_malformed_timeout_is_refused(string text) => Assert.False(RpcTimeout.TryParseGrpc(text, out _));

    [Fact]
    public void A_timeout_is_never_shortened_and_hardly_lengthened() =>
        Prop.ForAll(ArbMap.Default.ArbFor<long>().Filter(ticks => ticks > 0), ticks =>
        {
            var timeout = new TimeSpan(ticks);
            return RpcTimeout.TryParseGrpc(RpcTimeout.FormatGrpc(timeout), out var read)
                && read >= timeout
                && (read - timeout).Ticks <= Math.Max(1, ticks / 1000);
        }).QuickCheckThrowOnFailure();

    [Theory]
    [InlineData(0, "1n")]
    [InlineData(-5, "1n")]
    [InlineData(1, "100n")]
    [InlineData(999_999, "99999900n")]
    [InlineData(1_000_000, "100000u")]
    [InlineData(50_000_000, "5000000u")]
    [InlineData(long.MaxValue, "99999999H")]
    public void The_finest_unit_of_eight_digits_is_written(long ticks, string text) =>
        Assert.Equal(text, RpcTimeout.FormatGrpc(new TimeSpan(ticks)));

    [Theory]
    [InlineData("0", true)]
    [InlineData("1500", true)]
    [InlineData("9999999999", true)]
    [InlineData("10000000000", false)]
    [InlineData("", false)]
    [InlineData("-1", false)]
    [InlineData("1e3", false)]
    public void Connect_timeouts_are_at_most_ten_digits(string text, bool valid)
    {
        Assert.Equal(valid, RpcTimeout.TryParseConnect(text, out var timeout));
        if (valid)
        {
            Assert.Equal(TimeSpan.FromMilliseconds(long.Parse(text, CultureInfo.InvariantCulture)), timeout);
        }
    }

    [Fact]
    public void A_deadline_too_far_away_is_the_end_of_time()
    {
        var now = new DateTime(2026, 1, 1, 0, 0, 0, DateTimeKind.Utc);
        Assert.True(RpcTimeout.TryParseGrpc("99999999H", out var timeout));
        Assert.Equal(DateTime.MaxValue, RpcTimeout.DeadlineAfter(now, timeout));
        Assert.Equal(now.AddSeconds(1), RpcTimeout.DeadlineAfter(now, TimeSpan.FromSeconds(1)));
        Assert.Equal(RpcTimeout.MaxTimer, RpcTimeout.ClampToTimer(timeout));
        Assert.Equal(TimeSpan.Zero, RpcTimeout.ClampToTimer(TimeSpan.FromSeconds(-1)));
    }
}
