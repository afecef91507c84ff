using Grpc.Core;
using Grpc.Net.Client;
using Grpc.Net.Client.Configuration;
using Vibe.RpcTest.V1;

namespace Vibe.Rpc.Tests.Core.Client;

/// <summary>Which failed calls are tried again.</summary>
public sealed class RetryTests
{
    private readonly List<string?> _previousAttempts = [];

    [Fact]
    public async Task An_unavailable_server_is_asked_again()
    {
        await using var server = await StartAsync(failures: 2, status: 14);
        using var call = server.Client(Retry()).EchoAsync(new());
        Assert.Equal("fine", (await call).Name);
        Assert.Equal([null, "1", "2"], _previousAttempts);
        Assert.Equal(StatusCode.OK, call.GetStatus().StatusCode);
    }

    [Fact]
    public async Task A_stream_of_responses_is_opened_again()
    {
        await using var server = await StartAsync(failures: 1, status: 14);
        using var call = server.Client(Retry()).Expand(new());
        Assert.True(await call.ResponseStream.MoveNext());
        Assert.Equal(2, _previousAttempts.Count);
    }

    [Fact]
    public async Task A_stream_of_requests_is_not_sent_again()
    {
        await using var server = await StartAsync(failures: 1, status: 14);
        using var call = server.Client(Retry()).Collect();
        await call.RequestStream.CompleteAsync();
        var exception = await Assert.ThrowsAsync<RpcException>(async () => await call);
        Assert.Equal(StatusCode.Unavailable, exception.StatusCode);
        Assert.Single(_previousAttempts);
    }

    [Fact]
    public async Task The_attempts_end_with_the_last_status()
    {
        await using var server = await StartAsync(failures: 10, status: 14);
        await FailsAsync(server, Retry(), StatusCode.Unavailable);
        Assert.Equal(3, _previousAttempts.Count);
        _previousAttempts.Clear();
        await FailsAsync(server, Retry(options => options.MaxRetryAttempts = 2), StatusCode.Unavailable);
        Assert.Equal(2, _previousAttempts.Count);
    }

    [Fact]
    public async Task Only_listed_codes_are_retried()
    {
        await using var server = await StartAsync(failures: 10, status: 10);
        await FailsAsync(server, Retry(), StatusCode.Aborted);
        Assert.Single(_previousAttempts);
        await FailsAsync(server, Retry(policy: p => p.RetryableStatusCodes.Add(StatusCode.Aborted)), StatusCode.Aborted);
        Assert.Equal(4, _previousAttempts.Count);
    }

    [Fact]
    public async Task Without_a_rule_nothing_is_retried()
    {
        await using var server = await StartAsync(failures: 10, status: 14);
        await FailsAsync(server, _ => { }, StatusCode.Unavailable);
        Assert.Single(_previousAttempts);
        await FailsAsync(server, Retry(name: new() { Service = "another.Service" }), StatusCode.Unavailable);
        Assert.Equal(2, _previousAttempts.Count);
        await FailsAsync(server, Retry(name: new() { Service = "vibe.rpctest.v1.RpcTestService", Method = "Echo" }), StatusCode.Unavailable);
        Assert.Equal(5, _previousAttempts.Count);
    }

    [Theory]
    [InlineData("-1", 1)]
    [InlineData("soon", 1)]
    [InlineData("0", 3)]
    public async Task The_server_s_pushback_counts(string pushback, int attempts)
    {
        await using var server = await StartAsync(failures: 10, status: 14, pushback);

        // A back-off nobody would wait for: with a pushback of zero it must not be used.
        var slow = Retry(policy: p => p.InitialBackoff = p.MaxBackoff = pushback == "0" ? TimeSpan.FromHours(1) : TimeSpan.FromMilliseconds(1));
        await FailsAsync(server, slow, StatusCode.Unavailable);
        Assert.Equal(attempts, _previousAttempts.Count);
    }

    [Fact]
    public async Task Nothing_is_retried_after_response_metadata()
    {
        var calls = 0;
        await using var server = await RawServer.StartAsync(async context =>
        {
            calls++;
            await context.StartAsync();
            context.End(14);
        });
        await FailsAsync(server, Retry(), StatusCode.Unavailable);
        Assert.Equal(1, calls);
    }

    [Fact]
    public async Task The_deadline_ends_the_back_off()
    {
        await using var server = await StartAsync(failures: 10, status: 14);
        var slow = Retry(policy: p => p.InitialBackoff = p.MaxBackoff = TimeSpan.FromHours(1));
        var deadline = TimeProvider.System.GetUtcNow().UtcDateTime.AddMilliseconds(300);
        var exception = await Assert.ThrowsAsync<RpcException>(async () => await server.Client(slow).EchoAsync(new(), deadline: deadline));
        Assert.Equal(StatusCode.DeadlineExceeded, exception.StatusCode);
    }

    [Fact]
    public async Task Retries_stop_while_most_calls_fail()
    {
        await using var server = await StartAsync(failures: 100, status: 14);
        var client = server.Client(Retry(options => options.ServiceConfig!.RetryThrottling = new() { MaxTokens = 4, TokenRatio = 0.5 }));
        await Assert.ThrowsAsync<RpcException>(async () => await client.EchoAsync(new()));
        Assert.Equal(2, _previousAttempts.Count);
        await Assert.ThrowsAsync<RpcException>(async () => await client.EchoAsync(new()));
        Assert.Equal(3, _previousAttempts.Count);
    }

    [Fact]
    public async Task A_refused_stream_is_sent_again_even_without_a_rule()
    {
        var calls = 0;
        await using var server = await RawServer.StartAsync(async context =>
        {
            // The handler below tries again by itself a few times; then it is the client's turn, once.
            if (Interlocked.Increment(ref calls) <= 4)
            {
                context.Reset(0x7);
                return;
            }

            await context.SendAsync(RawGrpc.Frame(new EchoResponse { Name = "fine" }));
            context.End();
        });
        Assert.Equal("fine", (await server.Client().EchoAsync(new())).Name);
    }

    [Theory]
    [InlineData("attempts")]
    [InlineData("backoff")]
    [InlineData("multiplier")]
    [InlineData("name twice")]
    [InlineData("method without service")]
    [InlineData("throttling")]
    public void A_wrong_rule_is_refused_when_the_channel_is_made(string fault)
    {
        var configure = Retry(
            options =>
            {
                if (fault == "throttling")
                {
                    options.ServiceConfig!.RetryThrottling = new() { MaxTokens = 0 };
                }
                else if (fault == "name twice")
                {
                    options.ServiceConfig!.MethodConfigs.Add(options.ServiceConfig.MethodConfigs[0]);
                }
            },
            policy =>
            {
                policy.MaxAttempts = fault == "attempts" ? 1 : 2;
                policy.InitialBackoff = fault == "backoff" ? TimeSpan.Zero : TimeSpan.FromSeconds(1);
                policy.BackoffMultiplier = fault == "multiplier" ? null : 1;
            },
            fault == "method without service" ? new() { Method = "Echo" } : null);
        var options = new GrpcChannelOptions();
        configure(options);
        Assert.Throws<InvalidOperationException>(() => GrpcChannel.ForAddress("http://localhost", options));
    }

    private static Action<GrpcChannelOptions> Retry(
        Action<GrpcChannelOptions>? configure = null, Action<RetryPolicy>? policy = null, MethodName? name = null) => options =>
    {
        var retry = new RetryPolicy
        {
            MaxAttempts = 3,
            InitialBackoff = TimeSpan.FromMilliseconds(5),
            MaxBackoff = TimeSpan.FromMilliseconds(10),
            BackoffMultiplier = 2,
        };
        policy?.Invoke(retry);
        options.ServiceConfig = new() { MethodConfigs = { new() { Names = { name ?? MethodName.Default }, RetryPolicy = retry } } };
        configure?.Invoke(options);
    };

    private static async Task FailsAsync(RawServer server, Action<GrpcChannelOptions> configure, StatusCode code)
    {
        var exception = await Assert.ThrowsAsync<RpcException>(async () => await server.Client(configure).EchoAsync(new()));
        Assert.Equal(code, exception.StatusCode);
    }

    private async Task<RawServer> StartAsync(int failures, int status, string? pushback = null) => await RawServer.StartAsync(async context =>
    {
        var attempts = context.Request.Headers["grpc-previous-rpc-attempts"];
        _previousAttempts.Add(attempts.Count == 0 ? null : attempts.ToString());
        if (_previousAttempts.Count <= failures)
        {
            context.EndAtOnce(status);
            if (pushback is not null)
            {
                context.Response.Headers["grpc-retry-pushback-ms"] = pushback;
            }

            return;
        }

        await context.SendAsync(RawGrpc.Frame(new EchoResponse { Name = "fine" }));
        context.End();
    });
}
