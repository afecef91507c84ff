using Grpc.AspNetCore.HealthChecks;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Vibe.Rpc.Calls;
using ServingStatus = Grpc.Health.V1.HealthCheckResponse.Types.ServingStatus;

namespace Vibe.Rpc.Health;

/// <summary>
/// Runs the health checks: once for any number of callers at a time, not again within the maximal age, and periodically only while
/// somebody watches. From the moment the server begins to shut down every service is NOT_SERVING.
/// </summary>
internal sealed class HealthMonitor : IDisposable
{
    private static readonly HealthReport NotFinished = new(
        new Dictionary<string, HealthReportEntry> { ["timeout"] = new(HealthStatus.Unhealthy, null, TimeSpan.Zero, null, null) },
        HealthStatus.Unhealthy,
        TimeSpan.Zero);

    private readonly HealthCheckService _checks;
    private readonly RpcMethodRegistry _methods;
    private readonly GrpcHealthChecksOptions _options;
    private readonly TimeProvider _clock;
    private readonly ILogger _log;
    private readonly Lock _gate = new();
    private readonly ITimer _timer;
    private readonly CancellationTokenRegistration _stopping;
    private readonly CancellationToken _draining;
    private Task<HealthReport>? _latest;
    private long _finishedAt;
    private int _watchers;
    private TaskCompletionSource _changed = NewSignal();

    public HealthMonitor(
        HealthCheckService checks,
        RpcMethodRegistry methods,
        IOptions<GrpcHealthChecksOptions> options,
        IHostApplicationLifetime lifetime,
        TimeProvider clock,
        ILogger<HealthMonitor> log)
    {
        _checks = checks;
        _methods = methods;
        _options = options.Value;
        _clock = clock;
        _log = log;
        _draining = lifetime.ApplicationStopping;
        _timer = clock.CreateTimer(static state => ((HealthMonitor)state!).CheckForWatchers(), this, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
        _stopping = _draining.UnsafeRegister(static state => ((HealthMonitor)state!).SignalChange(), this);
    }

    /// <summary>Whether the server is shutting down.</summary>
    public bool IsDraining => _draining.IsCancellationRequested;

    /// <summary>Completes at the next result, or when the server begins to shut down.</summary>
    public Task NextChange
    {
        get
        {
            lock (_gate)
            {
                return _changed.Task;
            }
        }
    }

    /// <summary>The latest result if it is young enough, else a new one.</summary>
    public Task<HealthReport> ReportAsync(CancellationToken cancellationToken)
    {
        lock (_gate)
        {
            var usable = _latest is not null && (!_latest.IsCompleted || _clock.GetElapsedTime(_finishedAt) < _options.MaxAge);
            return (usable ? _latest! : Begin()).WaitAsync(cancellationToken);
        }
    }

    /// <summary>The latest result whatever its age, after <see cref="ReportAsync"/> returned once.</summary>
    public Task<HealthReport> LatestAsync(CancellationToken cancellationToken)
    {
        lock (_gate)
        {
            return _latest!.WaitAsync(cancellationToken);
        }
    }

    /// <summary>Whether the server as a whole is serving.</summary>
    public bool IsServing(HealthReport report) => StatusOf("", report) == ServingStatus.Serving;

    /// <summary>The status of a service by a result; SERVICE_UNKNOWN when it is neither listed nor mapped.</summary>
    public ServingStatus StatusOf(string service, HealthReport report)
    {
        var mapping = _options.Services.Find(service);
        if (mapping is null && !_methods.Methods.Any(method => method.ServiceName == service))
        {
            return ServingStatus.ServiceUnknown;
        }

        var counts = (mapping ?? _options.Services.Find("")!).Predicate;
        var unhealthy = ReferenceEquals(report, NotFinished)
            || report.Entries.Any(entry => entry.Value.Status == HealthStatus.Unhealthy && counts(HealthCheckMapContext.Of(entry)));
        return IsDraining || unhealthy ? ServingStatus.NotServing : ServingStatus.Serving;
    }

    /// <summary>Keeps the checks running periodically until disposed.</summary>
    public IDisposable Watch()
    {
        lock (_gate)
        {
            if (++_watchers == 1)
            {
                _timer.Change(_options.WatchPeriod, _options.WatchPeriod);
            }
        }

        return new Watching(this);
    }

    public void Dispose()
    {
        _stopping.Dispose();
        _timer.Dispose();
    }

    private void CheckForWatchers()
    {
        lock (_gate)
        {
            if (_latest is not { IsCompleted: false })
            {
                _ = Begin();
            }
        }
    }

    // Called with the lock held; the run itself starts outside of it.
    private Task<HealthReport> Begin() => _latest = RunAsync();

    private async Task<HealthReport> RunAsync()
    {
        await Task.Yield();
        HealthReport report;
        try
        {
            // A check may ignore its token; the result must not wait for it.
            using var timeout = new CancellationTokenSource(_options.CheckTimeout, _clock);
            report = await _checks.CheckHealthAsync(timeout.Token).WaitAsync(timeout.Token);
        }
        catch (OperationCanceledException)
        {
            HealthLog.TimedOut(_log, _options.CheckTimeout);
            report = NotFinished;
        }

        lock (_gate)
        {
            _finishedAt = _clock.GetTimestamp();
        }

        SignalChange();
        return report;
    }

    private void SignalChange()
    {
        TaskCompletionSource signal;
        lock (_gate)
        {
            (signal, _changed) = (_changed, NewSignal());
        }

        signal.SetResult();
    }

    private void EndWatch()
    {
        lock (_gate)
        {
            if (--_watchers == 0)
            {
                _timer.Change(Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
            }
        }
    }

    private static TaskCompletionSource NewSignal() => new(TaskCreationOptions.RunContinuationsAsynchronously);

    private sealed class Watching(HealthMonitor monitor) : IDisposable
    {
        private int _ended;

        public void Dispose()
        {
            if (Interlocked.Exchange(ref _ended, 1) == 0)
            {
                monitor.EndWatch();
            }
        }
    }
}
