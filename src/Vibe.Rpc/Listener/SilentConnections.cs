using Microsoft.AspNetCore.Connections;

namespace Vibe.Rpc.Listener;

/// <summary>
/// The connections of one port whose protocol is not known yet, oldest first. All wait equally long, so the oldest is always
/// the next to time out: one list and one timer serve any number of connections.
/// </summary>
internal sealed class SilentConnections : IDisposable
{
    private readonly Lock _gate = new();
    private readonly LinkedList<Waiting> _waiting = new();
    private readonly TimeSpan _timeout;
    private readonly TimeProvider _clock;
    private readonly Action<ConnectionContext> _onTimeout;
    private readonly ITimer _timer;

    public SilentConnections(TimeSpan timeout, TimeProvider clock, Action<ConnectionContext> onTimeout)
    {
        _timeout = timeout;
        _clock = clock;
        _onTimeout = onTimeout;
        _timer = clock.CreateTimer(static state => ((SilentConnections)state!).CloseOverdue(), this, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
    }

    public int Count
    {
        get
        {
            lock (_gate)
            {
                return _waiting.Count;
            }
        }
    }

    /// <summary>Starts the connection's time-out.</summary>
    /// <returns>What <see cref="Remove"/> takes.</returns>
    public LinkedListNode<Waiting> Add(ConnectionContext connection)
    {
        lock (_gate)
        {
            var node = _waiting.AddLast(new Waiting(connection, _clock.GetTimestamp()));
            if (_waiting.Count == 1)
            {
                _timer.Change(_timeout, Timeout.InfiniteTimeSpan);
            }

            return node;
        }
    }

    /// <summary>Ends the connection's time-out.</summary>
    /// <returns>False when it was closed before: then it must not be handed on.</returns>
    public bool Remove(LinkedListNode<Waiting> node)
    {
        lock (_gate)
        {
            if (node.List is null)
            {
                return false;
            }

            _waiting.Remove(node);
            return true;
        }
    }

    /// <summary>Closes the connection that has been silent longest.</summary>
    /// <returns>False when none is silent.</returns>
    public bool CloseOldest()
    {
        Waiting oldest;
        lock (_gate)
        {
            if (_waiting.First is not { } first)
            {
                return false;
            }

            oldest = first.Value;
            _waiting.RemoveFirst();
        }

        oldest.Connection.Abort();
        return true;
    }

    private void CloseOverdue()
    {
        while (TakeOverdue() is { } connection)
        {
            _onTimeout(connection);
            connection.Abort();
        }
    }

    private ConnectionContext? TakeOverdue()
    {
        lock (_gate)
        {
            if (_waiting.First is not { } oldest)
            {
                return null;
            }

            var left = _timeout - _clock.GetElapsedTime(oldest.Value.Since);
            if (left > TimeSpan.Zero)
            {
                // A timer counts whole milliseconds: never ask for zero, which would fire at once and find nothing due.
                _timer.Change(left + TimeSpan.FromMilliseconds(1), Timeout.InfiniteTimeSpan);
                return null;
            }

            _waiting.RemoveFirst();
            return oldest.Value.Connection;
        }
    }

    public void Dispose() => _timer.Dispose();

    /// <summary>A connection and the clock's timestamp of its arrival.</summary>
    internal readonly record struct Waiting(ConnectionContext Connection, long Since);
}
