using Grpc.AspNetCore.HealthChecks;
using Grpc.Core;
using Grpc.Health.V1;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Vibe.Rpc.Health;
using Vibe.Rpc.Tests.Listener;
using Vibe.Rpc.Tests.Server;
using Vibe.RpcTest.V1;
using ServingStatus = Grpc.Health.V1.HealthCheckResponse.Types.ServingStatus;

namespace Vibe.Rpc.Tests.Health;

public sealed class HealthMonitorTests
{
    private const string Service = "vibe.rpctest.v1.RpcTestService";

    private readonly ManualClock _clock = new();
    private readonly CountedCheck _database = new();

    [Fact]
    public async Task Health_follows_the_checks()
    {
        await using var server = await StartAsync();
        Assert.Equal(ServingStatus.Serving, await CheckAsync(server, ""));
        Assert.Equal(ServingStatus.Serving, await CheckAsync(server, Service));

        _database.Status = HealthStatus.Degraded;
        _clock.Advance(TimeSpan.FromSeconds(2));
        Assert.Equal(ServingStatus.Serving, await CheckAsync(server, ""));

        _database.Status = HealthStatus.Unhealthy;
        _clock.Advance(TimeSpan.FromSeconds(2));
        Assert.Equal(ServingStatus.NotServing, await CheckAsync(server, ""));
        Assert.Equal(ServingStatus.NotServing, await CheckAsync(server, Service));
    }

    [Fact]
    public async Task A_name_may_have_checks_of_its_own()
    {
        await using var server = await StartAsync(options =>
        {
            options.Services.Map("disk", check => check.Tags.Contains("disk", StringComparer.Ordinal));
            options.Services.Map("data", check => check.Name == "database");
        });
        _database.Status = HealthStatus.Unhealthy;

        Assert.Equal(ServingStatus.NotServing, await CheckAsync(server, "data"));
        Assert.Equal(ServingStatus.Serving, await CheckAsync(server, "disk"));
    }

    [Fact]
    public async Task An_unknown_service_is_not_found()
    {
        await using var server = await StartAsync();
        var failure = await Assert.ThrowsAsync<RpcException>(() => CheckAsync(server, "no.Such"));
        Assert.Equal(StatusCode.NotFound, failure.StatusCode);
    }

    [Fact]
    public async Task Calls_at_the_same_time_and_within_the_maximal_age_share_one_run()
    {
        _database.Hold();
        await using var server = await StartAsync();
        var calls = Enumerable.Range(0, 50).Select(_ => CheckAsync(server, "")).ToList();
        _database.Release();
        await Task.WhenAll(calls).WaitAsync(SharedPortHost.Bound);
        await CheckAsync(server, "");
        Assert.Equal(1, _database.Runs);

        _clock.Advance(TimeSpan.FromSeconds(2));
        await CheckAsync(server, "");
        Assert.Equal(2, _database.Runs);
    }

    [Fact]
    public async Task A_check_that_never_ends_makes_the_server_not_serving()
    {
        _database.Hold();
        await using var server = await StartAsync();
        var call = CheckAsync(server, "");
        await _database.Entered.WaitAsync(SharedPortHost.Bound);

        _clock.Advance(TimeSpan.FromSeconds(10));

        Assert.Equal(ServingStatus.NotServing, await call.WaitAsync(SharedPortHost.Bound));
        _database.Release();
    }

    [Fact]
    public async Task A_watch_tells_each_change_once()
    {
        await using var server = await StartAsync();
        var (watch, stop) = Watch(server, "");
        Assert.Equal(ServingStatus.Serving, await watch.NextAsync());

        await PollAsync(server);
        _database.Status = HealthStatus.Unhealthy;
        await PollAsync(server);
        Assert.Equal(ServingStatus.NotServing, await watch.NextAsync());
        _database.Status = HealthStatus.Healthy;
        await PollAsync(server);
        Assert.Equal(ServingStatus.Serving, await watch.NextAsync());

        await stop.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => watch.Call.WaitAsync(SharedPortHost.Bound));
    }

    [Fact]
    public async Task A_watch_of_an_unknown_service_says_so_and_stays()
    {
        await using var server = await StartAsync();
        var (watch, stop) = Watch(server, "no.Such");
        Assert.Equal(ServingStatus.ServiceUnknown, await watch.NextAsync());
        Assert.False(watch.Call.IsCompleted);
        await stop.CancelAsync();
    }

    [Fact]
    public async Task Checks_run_periodically_only_while_somebody_watches()
    {
        await using var server = await StartAsync();
        var (watch, stop) = Watch(server, "");
        await watch.NextAsync();
        await PollAsync(server);
        await stop.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => watch.Call.WaitAsync(SharedPortHost.Bound));

        var runs = _database.Runs;
        _clock.Advance(TimeSpan.FromMinutes(1));
        Assert.Equal(runs, _database.Runs);
    }

    [Fact]
    public async Task Nothing_is_serving_once_the_server_shuts_down_and_watches_end()
    {
        await using var server = await StartAsync();
        var (watch, _) = Watch(server, Service);
        Assert.Equal(ServingStatus.Serving, await watch.NextAsync());

        server.Services.GetRequiredService<IHostApplicationLifetime>().StopApplication();

        Assert.Equal(ServingStatus.NotServing, await watch.NextAsync());
        await watch.Call.WaitAsync(SharedPortHost.Bound);
        Assert.Equal(ServingStatus.NotServing, await CheckAsync(server, ""));
    }

    [Fact]
    public async Task Plain_http_has_a_live_and_a_ready_path()
    {
        await using var server = await StartAsync();
        Assert.Equal((200, "ok"), await GetAsync("/healthz"));
        Assert.Equal((200, "ready"), await GetAsync("/readyz"));

        _database.Status = HealthStatus.Unhealthy;
        _clock.Advance(TimeSpan.FromSeconds(2));
        Assert.Equal((503, "not ready: database"), await GetAsync("/readyz"));
        Assert.Equal((200, "ok"), await GetAsync("/healthz"));

        async Task<(int Status, string Text)> GetAsync(string path)
        {
            using var response = await server.Client.GetAsync(new Uri(server.Http1, path));
            Assert.Equal("no-store", response.Headers.CacheControl!.ToString());
            return ((int)response.StatusCode, await response.Content.ReadAsStringAsync());
        }
    }

    // Advances to the next periodic run and returns when it ended.
    private async Task PollAsync(RpcTestServer server)
    {
        await server.Services.GetRequiredService<HealthMonitor>().LatestAsync(CancellationToken.None);
        var runs = _database.Runs;
        _clock.Advance(TimeSpan.FromSeconds(5));
        await SharedPortHost.EventuallyAsync(() => _database.Runs > runs);
    }

    private Task<RpcTestServer> StartAsync(Action<GrpcHealthChecksOptions>? options = null) => RpcTestServer.StartAsync(
        services: services =>
        {
            // ASP.NET Core logs a failing check as an error; here they fail on purpose.
            services.AddLogging(logging => logging.AddFilter("Microsoft.Extensions.Diagnostics.HealthChecks", LogLevel.None));
            services.AddSingleton<TimeProvider>(_clock);
            services.AddGrpcHealthChecks(options).AddCheck("database", _database).AddCheck("disk", () => HealthCheckResult.Healthy(), ["disk"]);
        },
        map: app =>
        {
            app.MapGrpcService<RpcTestServiceImpl>();
            app.MapGrpcHealthChecksService();
            app.MapHealthEndpoints();
        });

    private static async Task<ServingStatus> CheckAsync(RpcTestServer server, string service)
    {
        var monitor = server.Services.GetRequiredService<HealthService>();
        return (await monitor.Check(new HealthCheckRequest { Service = service }, new Call(CancellationToken.None))).Status;
    }

    private static (Statuses Watch, CancellationTokenSource Stop) Watch(RpcTestServer server, string service)
    {
        var stop = new CancellationTokenSource();
        var statuses = new Statuses();
        statuses.Call = server.Services.GetRequiredService<HealthService>().Watch(new() { Service = service }, statuses, new Call(stop.Token));
        return (statuses, stop);
    }
}
