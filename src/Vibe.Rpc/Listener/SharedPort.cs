using System.IO.Pipelines;
using System.Net;
using System.Threading.Channels;
using Microsoft.AspNetCore.Connections;
using Microsoft.Extensions.Logging;

namespace Vibe.Rpc.Listener;

/// <summary>
/// Accepts the connections of one port, finds out what each speaks, and queues it for the Kestrel end point of that protocol.
/// </summary>
/// <remarks>
/// A connection belongs to <see cref="RouteAsync"/> until it is queued; whoever takes it from <see cref="SilentConnections"/>
/// decides its fate, so a time-out never closes a connection that Kestrel has already received.
/// </remarks>
internal sealed class SharedPort : IAsyncDisposable
{
    // Kestrel's accept loops only start a work item per connection, so these fill up when the process has no threads left.
    // Then nothing more is accepted, and the kernel's backlog and its SYN handling take over.
    private const int QueueLength = 64;

    private readonly List<IConnectionListener> _sockets;
    private readonly SharedListenerOptions _options;
    private readonly ILogger _log;
    private readonly SilentConnections _silent;
    private readonly Channel<ConnectionContext> _http1 = CreateQueue();
    private readonly Channel<ConnectionContext> _http2 = CreateQueue();
    private readonly CancellationTokenSource _unbinding = new();
    private readonly Lock _gate = new();
    private readonly TaskCompletionSource _routed = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly Task _accepting;
    private int _routing = 1;
    private int _open;
    private int _halves;
    private Task? _unbound;

    public SharedPort(List<IConnectionListener> sockets, EndPoint reported, SharedListenerOptions options, TimeProvider clock, ILogger log)
    {
        _sockets = sockets;
        _options = options;
        _log = log;
        EndPoint = reported;
        _silent = new SilentConnections(options.SilenceTimeout, clock, connection => ListenerLog.Silent(log, connection.ConnectionId));
        _accepting = Task.WhenAll(sockets.Select(AcceptAsync));
    }

    /// <summary>What Kestrel reports as the address, with the real port number.</summary>
    public EndPoint EndPoint { get; }

    public bool IsUnbound => _unbound is not null;

    /// <summary>Connections whose protocol is not known yet.</summary>
    public int SilentCount => _silent.Count;

    /// <summary>Open connections, silent or not.</summary>
    public int OpenCount => Volatile.Read(ref _open);

    public IConnectionListener Half(WireProtocol protocol)
    {
        Interlocked.Increment(ref _halves);
        return new SharedPortHalf(this, (protocol == WireProtocol.Http2 ? _http2 : _http1).Reader);
    }

    /// <summary>Closes the sockets and every connection that Kestrel has not received. Either half may call it; the first one counts.</summary>
    public Task UnbindAsync()
    {
        lock (_gate)
        {
            return _unbound ??= UnbindOnceAsync();
        }
    }

    /// <summary>Disposes the port when no half is left that may have connections using its sockets' memory.</summary>
    public ValueTask ReleaseHalfAsync() => Interlocked.Decrement(ref _halves) == 0 ? DisposeAsync() : ValueTask.CompletedTask;

    public async ValueTask DisposeAsync()
    {
        await UnbindAsync();
        foreach (var socket in _sockets)
        {
            await socket.DisposeAsync();
        }

        _silent.Dispose();
        _unbinding.Dispose();
    }

    private async Task UnbindOnceAsync()
    {
        // Not on the caller's stack: it holds the lock.
        await Task.Yield();
        await _unbinding.CancelAsync();
        foreach (var socket in _sockets)
        {
            await socket.UnbindAsync();
        }

        await _accepting;
        while (_silent.CloseOldest())
        {
        }

        Release();
        await _routed.Task;
        _http1.Writer.TryComplete();
        _http2.Writer.TryComplete();
    }

    private async Task AcceptAsync(IConnectionListener socket)
    {
        await Task.Yield();
        try
        {
            while (await _http1.Writer.WaitToWriteAsync(_unbinding.Token)
                && await _http2.Writer.WaitToWriteAsync(_unbinding.Token)
                && await socket.AcceptAsync(_unbinding.Token) is { } connection)
            {
                Interlocked.Increment(ref _routing);
                _ = RouteAsync(connection);
            }
        }
        catch (OperationCanceledException) when (_unbinding.IsCancellationRequested)
        {
        }
        catch (Exception exception)
        {
            // Kestrel logs the reason as critical and stops the end point, as it does for its own sockets.
            _http1.Writer.TryComplete(exception);
            _http2.Writer.TryComplete(exception);
        }
    }

    private async Task RouteAsync(ConnectionContext connection)
    {
        var handedOver = false;
        try
        {
            if (Admit(connection))
            {
                handedOver = await HandOverAsync(connection);
            }
        }
        catch (Exception exception) when (exception is ConnectionResetException or ConnectionAbortedException or OperationCanceledException)
        {
            ListenerLog.EndedEarly(_log, connection.ConnectionId);
        }
        catch (Exception exception)
        {
            ListenerLog.RoutingFailed(_log, connection.ConnectionId, exception);
        }
        finally
        {
            if (!handedOver)
            {
                await CloseAsync(connection);
            }

            Release();
        }
    }

    private bool Admit(ConnectionContext connection)
    {
        var open = Interlocked.Increment(ref _open);
        connection.ConnectionClosed.UnsafeRegister(static port => Interlocked.Decrement(ref ((SharedPort)port!)._open), this);
        if (open > _options.MaxConnections && !_silent.CloseOldest())
        {
            ListenerLog.TooMany(_log, EndPoint, _options.MaxConnections.Value, connection.ConnectionId);
            return false;
        }

        return true;
    }

    private async Task<bool> HandOverAsync(ConnectionContext connection)
    {
        if (_silent.Count >= _options.MaxSilentConnections)
        {
            _silent.CloseOldest();
        }

        var waiting = _silent.Add(connection);
        WireProtocol protocol;
        try
        {
            protocol = await PeekAsync(connection.Transport.Input);
        }
        finally
        {
            if (!_silent.Remove(waiting))
            {
                protocol = WireProtocol.Undecided;
            }
        }

        switch (protocol)
        {
            case WireProtocol.Http1:
                await _http1.Writer.WriteAsync(connection, _unbinding.Token);
                return true;
            case WireProtocol.Http2:
                await _http2.Writer.WriteAsync(connection, _unbinding.Token);
                return true;
            case WireProtocol.Tls:
                ListenerLog.TlsRefused(_log, connection.ConnectionId);
                await connection.Transport.Output.WriteAsync(Preface.TlsAlert.ToArray(), _unbinding.Token);
                return false;
            default:
                ListenerLog.EndedEarly(_log, connection.ConnectionId);
                return false;
        }
    }

    /// <summary>Reads until the bytes decide and leaves all of them in the pipe.</summary>
    private static async Task<WireProtocol> PeekAsync(PipeReader input)
    {
        while (true)
        {
            var read = await input.ReadAsync(CancellationToken.None);
            var protocol = Preface.Classify(read.Buffer);
            if (protocol != WireProtocol.Undecided || read.IsCompleted || read.IsCanceled)
            {
                input.AdvanceTo(read.Buffer.Start);
                return protocol;
            }

            input.AdvanceTo(read.Buffer.Start, read.Buffer.End);
        }
    }

    private async Task CloseAsync(ConnectionContext connection)
    {
        try
        {
            await connection.DisposeAsync();
        }
        catch (Exception exception)
        {
            ListenerLog.RoutingFailed(_log, connection.ConnectionId, exception);
        }
    }

    private void Release()
    {
        if (Interlocked.Decrement(ref _routing) == 0)
        {
            _routed.SetResult();
        }
    }

    private static Channel<ConnectionContext> CreateQueue() =>
        Channel.CreateBounded<ConnectionContext>(new BoundedChannelOptions(QueueLength) { SingleReader = true });
}
