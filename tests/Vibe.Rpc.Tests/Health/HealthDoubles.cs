using System.Threading.Channels;
using Grpc.Core;
using Grpc.Health.V1;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Vibe.Rpc.Tests.Listener;
using ServingStatus = Grpc.Health.V1.HealthCheckResponse.Types.ServingStatus;

namespace Vibe.Rpc.Tests.Health;

/// <summary>A health check that says what it is told to, counts its runs, and can be made to hang.</summary>
internal sealed class CountedCheck : IHealthCheck
{
    private readonly TaskCompletionSource _entered = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private TaskCompletionSource? _held;
    private int _runs;

    public HealthStatus Status { get; set; } = HealthStatus.Healthy;

    public int Runs => Volatile.Read(ref _runs);

    public Task Entered => _entered.Task;

    public void Hold() => _held = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public void Release() => _held!.SetResult();

    public async Task<HealthCheckResult> CheckHealthAsync(HealthCheckContext context, CancellationToken cancellationToken = default)
    {
        _entered.TrySetResult();
        if (_held is not null)
        {
            await _held.Task;
        }

        var result = new HealthCheckResult(Status);
        Interlocked.Increment(ref _runs);
        return result;
    }
}

/// <summary>Receives what a watch sends.</summary>
internal sealed class Statuses : IServerStreamWriter<HealthCheckResponse>
{
    private readonly Channel<ServingStatus> _sent = Channel.CreateUnbounded<ServingStatus>();

    public Task Call { get; set; } = Task.CompletedTask;

    public WriteOptions? WriteOptions { get; set; }

    public Task<ServingStatus> NextAsync() => _sent.Reader.ReadAsync().AsTask().WaitAsync(SharedPortHost.Bound);

    public Task WriteAsync(HealthCheckResponse message) => WriteAsync(message, CancellationToken.None);

    public Task WriteAsync(HealthCheckResponse message, CancellationToken cancellationToken) =>
        _sent.Writer.WriteAsync(message.Status, cancellationToken).AsTask();
}

/// <summary>A call without a wire.</summary>
internal sealed class Call(CancellationToken cancellationToken) : ServerCallContext
{
    protected override string MethodCore => "";

    protected override string HostCore => "";

    protected override string PeerCore => "";

    protected override DateTime DeadlineCore => DateTime.MaxValue;

    protected override Metadata RequestHeadersCore { get; } = [];

    protected override CancellationToken CancellationTokenCore => cancellationToken;

    protected override Metadata ResponseTrailersCore { get; } = [];

    protected override Status StatusCore { get; set; }

    protected override WriteOptions? WriteOptionsCore { get; set; }

    protected override AuthContext AuthContextCore => throw new NotSupportedException();

    protected override ContextPropagationToken CreatePropagationTokenCore(ContextPropagationOptions? options) => throw new NotSupportedException();

    protected override Task WriteResponseHeadersAsyncCore(Metadata responseHeaders) => Task.CompletedTask;
}
