using Vibe.Postgres.Notifications;
using Vibe.Postgres.Sessions;

namespace Vibe.Server.Realtime.Bus;

/// <summary>
/// What the nodes of one database tell each other: at most once, in the order each node sent it, stored nowhere. While the
/// database cannot be reached, what is sent is dropped, and listeners are told when to make up for it.
/// Thread-safe.
/// </summary>
internal sealed class NodeBus(NotificationChannel channel, BusOptions options, TimeProvider time, ILogger<NodeBus> log) : BackgroundService
{
    private static readonly TimeSpan FirstPause = TimeSpan.FromMilliseconds(50);
    private static readonly TimeSpan LongestPause = TimeSpan.FromSeconds(2);

    private readonly Lock _gate = new();
    private readonly BusQueue _queue = new(options.MaxQueuedBytes);
    private readonly BusPeers _peers = new(options, time);
    private List<IBusListener> _listeners = [];
    private TaskCompletionSource _connected = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private long _lastEcho;
    private long _firstEcho;
    private uint _frames;

    /// <summary>This node, for as long as the process lives.</summary>
    public Guid Node { get; } = Guid.NewGuid();

    /// <summary>The other nodes.</summary>
    public IReadOnlyCollection<Guid> Peers => _peers.All;

    /// <summary>Whether there are other nodes.</summary>
    public bool HasPeers => !_peers.IsEmpty;

    /// <summary>Waits until nodes that were there before this one have had time to answer, so that <see cref="Peers"/> is complete.</summary>
    /// <param name="limit">How long to wait for a connection.</param>
    /// <param name="cancellationToken">Stops waiting.</param>
    /// <returns>False when the bus is not connected.</returns>
    public async Task<bool> SettleAsync(TimeSpan limit, CancellationToken cancellationToken)
    {
        while (true)
        {
            Task connected;
            TimeSpan left;
            lock (_gate)
            {
                connected = _connected.Task;
                left = options.Settle - (_firstEcho == 0 ? TimeSpan.Zero : time.GetElapsedTime(_firstEcho));
            }

            try
            {
                await connected.WaitAsync(limit, time, cancellationToken);
            }
            catch (TimeoutException)
            {
                return false;
            }

            if (left <= TimeSpan.Zero)
            {
                return true;
            }

            await Task.Delay(left, time, cancellationToken);
        }
    }

    /// <summary>Adds a listener.</summary>
    public void Add(IBusListener listener)
    {
        lock (_gate)
        {
            _listeners = [.. _listeners, listener];
        }
    }

    /// <summary>Sends a message, or drops it when it cannot be sent.</summary>
    public void Send(BusMessage message) => _queue.Add(message);

    /// <inheritdoc/>
    public override void Dispose()
    {
        base.Dispose();
        _queue.Dispose();
    }

    /// <inheritdoc/>
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        var pause = FirstPause;
        var isDown = false;
        while (!stoppingToken.IsCancellationRequested)
        {
            try
            {
                await using var connection = await channel.OpenAsync(stoppingToken);
                if (isDown)
                {
                    RealtimeLog.BusBack(log);
                }

                (pause, isDown) = (FirstPause, false);
                await RunAsync(connection, stoppingToken);
            }
            catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
            {
                return;
            }
            catch (DatabaseException exception)
            {
                if (!isDown)
                {
                    RealtimeLog.BusLost(log, exception);
                }

                isDown = true;
            }

            await Task.Delay(pause, time, stoppingToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            pause = pause * 2 < LongestPause ? pause * 2 : LongestPause;
        }
    }

    private async Task RunAsync(NotificationConnection connection, CancellationToken stoppingToken)
    {
        using var ended = CancellationTokenSource.CreateLinkedTokenSource(stoppingToken);
        Connect();
        Task[] work = [ReadAsync(connection, ended.Token), WriteAsync(connection, ended.Token), BeatAsync(ended.Token)];
        try
        {
            await await Task.WhenAny(work);
        }
        finally
        {
            lock (_gate)
            {
                (_connected, _firstEcho) = (new(TaskCreationOptions.RunContinuationsAsynchronously), 0);
            }

            _queue.Close();

            await ended.CancelAsync();
            await Task.WhenAll(work).ContinueWith(static _ => { }, CancellationToken.None, TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default);
            if (stoppingToken.IsCancellationRequested)
            {
                await LeaveAsync(connection);
            }
        }
    }

    private void Connect()
    {
        _queue.Open(new BusMessage(BusKind.Alive, null, default));
        lock (_gate)
        {
            (_firstEcho, _lastEcho) = (0, time.GetTimestamp());
            _connected.TrySetResult();
        }

        // Nobody was heard while there was no connection; that says nothing about them.
        _peers.Refresh();
    }

    // Nor does it when this process stood still: what the others said meanwhile may be about to be read.
    private void ListenAnew(long now)
    {
        lock (_gate)
        {
            _lastEcho = now;
        }

        _peers.Refresh();
    }

    private async Task ReadAsync(NotificationConnection connection, CancellationToken cancellationToken)
    {
        var frames = new BusFrames.Assembler();
        while (true)
        {
            var payload = await connection.ReceiveAsync(cancellationToken);
            try
            {
                var messages = frames.Take(payload, out var node);
                if (node == Node)
                {
                    HearOwn();
                    continue;
                }

                Hear(node);
                foreach (var message in messages)
                {
                    Deliver(node, message);
                }
            }
            catch (Exception exception) when (exception is IOException or FormatException)
            {
                RealtimeLog.BusGarbled(log, exception);
            }
        }
    }

    private void HearOwn()
    {
        lock (_gate)
        {
            _lastEcho = time.GetTimestamp();
            _firstEcho = _firstEcho == 0 ? _lastEcho : _firstEcho;
        }
    }

    private void Hear(Guid node)
    {
        if (!_peers.Hear(node))
        {
            return;
        }

        Send(new BusMessage(BusKind.Alive, node, default));
        foreach (var listener in _listeners)
        {
            listener.PeerFound(node);
        }
    }

    private void Deliver(Guid from, BusMessage message)
    {
        if (message.To is { } to && to != Node)
        {
            return;
        }

        if (message.Kind == BusKind.Leaving)
        {
            Lose(from);
            return;
        }

        foreach (var listener in _listeners)
        {
            listener.Receive(from, message.Kind, message.Body);
        }
    }

    private void Lose(Guid node)
    {
        if (_peers.Remove(node))
        {
            foreach (var listener in _listeners)
            {
                listener.PeerLost(node);
            }
        }
    }

    private async Task WriteAsync(NotificationConnection connection, CancellationToken cancellationToken)
    {
        while (true)
        {
            var (messages, isNew) = await _queue.TakeAsync(cancellationToken);
            if (messages.Count > 0)
            {
                await connection.SendAsync(BusFrames.Write(Node, _frames++, messages), cancellationToken);
            }

            if (isNew)
            {
                foreach (var listener in _listeners)
                {
                    listener.Resumed();
                }
            }
        }
    }

    private async Task BeatAsync(CancellationToken cancellationToken)
    {
        var last = time.GetTimestamp();
        while (true)
        {
            await Task.Delay(options.Alive, time, cancellationToken);
            Send(new BusMessage(BusKind.Alive, null, default));
            var now = time.GetTimestamp();
            if (time.GetElapsedTime(last, now) - options.Alive > options.Silence / 2)
            {
                ListenAnew(now);
            }

            last = now;
            foreach (var node in _peers.Silent(now))
            {
                Lose(node);
            }

            lock (_gate)
            {
                // Listening and hearing nothing, not even oneself, is no connection.
                if (time.GetElapsedTime(_lastEcho, now) > options.Silence)
                {
                    return;
                }
            }
        }
    }

    // So that nobody has to wait for this node's silence.
    private async Task LeaveAsync(NotificationConnection connection)
    {
        using var limit = new CancellationTokenSource(options.Alive, time);
        try
        {
            await connection.SendAsync(BusFrames.Write(Node, _frames++, [new BusMessage(BusKind.Leaving, null, default)]), limit.Token);
        }
        catch (Exception exception) when (exception is DatabaseException or OperationCanceledException or InvalidOperationException)
        {
            // The others notice by themselves.
        }
    }
}
