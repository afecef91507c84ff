using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Options;
using Vibe.Rpc.Hosting;

namespace Vibe.Rpc.Calls;

/// <summary>
/// The server's shutdown as calls see it: first <see cref="Started"/>, on which long streams say goodbye and end by themselves,
/// then, after <see cref="RpcServerLimits.DrainTimeout"/>, <see cref="Expired"/>, which ends what is left with UNAVAILABLE.
/// </summary>
internal sealed class CallDrain : IDisposable
{
    private readonly CancellationTokenSource _expired = new();
    private readonly CancellationTokenRegistration _registration;
    private ITimer? _timer;

    public CallDrain(IHostApplicationLifetime lifetime, IOptions<RpcServerLimits> limits, TimeProvider time)
    {
        Started = lifetime.ApplicationStopping;
        _registration = Started.UnsafeRegister(
            _ => _timer = time.CreateTimer(
                static source => ((CancellationTokenSource)source!).Cancel(), _expired, limits.Value.DrainTimeout, Timeout.InfiniteTimeSpan),
            null);
    }

    /// <summary>Fires when the server begins to shut down.</summary>
    public CancellationToken Started { get; }

    /// <summary>Fires when the time for draining is over.</summary>
    public CancellationToken Expired => _expired.Token;

    public void Dispose()
    {
        _registration.Dispose();
        _timer?.Dispose();
    }
}
