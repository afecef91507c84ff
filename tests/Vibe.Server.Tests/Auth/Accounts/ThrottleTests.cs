using Microsoft.Extensions.DependencyInjection;
using Vibe.Postgres.Tests;
using Vibe.Server.Auth.Accounts;
using Vibe.Server.Tests.Api;

namespace Vibe.Server.Tests.Auth.Accounts;

/// <summary>Attempts are counted in the database, whichever node they come to.</summary>
[Collection(PostgresCollection.Name)]
public sealed class ThrottleTests(ApiHost host) : IClassFixture<ApiHost>
{
    private readonly Throttle _throttle = host.Server.App.Services.GetRequiredService<Throttle>();

    [Fact]
    public async Task A_bucket_gives_its_burst_and_then_says_when_to_come_back()
    {
        var rule = new ThrottleRule("burst", 3, TimeSpan.FromMinutes(1));
        for (var attempt = 0; attempt < 3; attempt++)
        {
            Assert.Null(await _throttle.TryTakeAsync(rule, "someone", default));
        }

        Assert.InRange((await _throttle.TryTakeAsync(rule, "someone", default))!.Value.TotalSeconds, 50, 60);
        Assert.Null(await _throttle.TryTakeAsync(rule, "someone else", default));
        Assert.Null(await _throttle.TryTakeAsync(rule with { Name = "other" }, "someone", default));
    }

    [Fact]
    public async Task Attempts_that_meet_are_each_counted()
    {
        var rule = new ThrottleRule("meeting", 5, TimeSpan.FromHours(1));
        var answers = await Task.WhenAll(Enumerable.Range(0, 20).Select(_ => _throttle.TryTakeAsync(rule, "someone", default)));
        Assert.Equal(5, answers.Count(static wait => wait is null));
    }

    [Fact]
    public async Task An_attempt_comes_back_with_time()
    {
        var rule = new ThrottleRule("refill", 1, TimeSpan.FromMinutes(1));
        var clock = new MovedClock();
        var throttle = new Throttle(host.Server.Database, clock);
        Assert.Null(await throttle.TryTakeAsync(rule, "someone", default));
        clock.Ahead = TimeSpan.FromSeconds(30);
        Assert.NotNull(await throttle.TryTakeAsync(rule, "someone", default));
        clock.Ahead = TimeSpan.FromSeconds(61);
        Assert.Null(await throttle.TryTakeAsync(rule, "someone", default));
        clock.Ahead = TimeSpan.FromDays(10);
        Assert.Null(await throttle.TryTakeAsync(rule, "someone", default));
        Assert.NotNull(await throttle.TryTakeAsync(rule, "someone", default));
    }
}

/// <summary>The system's clock, moved ahead.</summary>
internal sealed class MovedClock : TimeProvider
{
    private long _ahead;

    public TimeSpan Ahead
    {
        get => TimeSpan.FromTicks(Volatile.Read(ref _ahead));
        set => Volatile.Write(ref _ahead, value.Ticks);
    }

    public override DateTimeOffset GetUtcNow() => System.GetUtcNow() + Ahead;
}
