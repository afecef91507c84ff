namespace Vibe.Server.Realtime.Bus;

/// <summary>
/// What this node is about to tell the others. Nothing waits while there is no connection, and channel messages are dropped
/// beyond <paramref name="maxBytes"/>: they may be lost, and the rest is bounded by what this node has. Thread-safe.
/// </summary>
internal sealed class BusQueue(long maxBytes) : IDisposable
{
    private readonly Lock _gate = new();
    private readonly SemaphoreSlim _signal = new(0, 1);
    private List<BusMessage> _messages = [];
    private long _bytes;
    private bool _isOpen;
    private bool _isNew;

    /// <summary>Adds a message, or drops it.</summary>
    public void Add(BusMessage message)
    {
        lock (_gate)
        {
            if (!_isOpen || (message.Kind == BusKind.ChannelMessage && _bytes > maxBytes))
            {
                return;
            }

            _messages.Add(message);
            _bytes += message.Bytes;
        }

        Signal();
    }

    /// <summary>Begins anew with a message, on a new connection.</summary>
    public void Open(BusMessage first)
    {
        lock (_gate)
        {
            (_messages, _bytes, _isOpen, _isNew) = ([first], first.Bytes, true, true);
        }

        Signal();
    }

    /// <summary>The connection is lost, and what waits with it.</summary>
    public void Close()
    {
        lock (_gate)
        {
            (_messages, _bytes, _isOpen, _isNew) = ([], 0, false, false);
        }
    }

    /// <summary>Waits for messages and takes them all, perhaps none.</summary>
    /// <returns>The messages, and whether they are the first of their connection.</returns>
    public async Task<(List<BusMessage> Messages, bool IsNew)> TakeAsync(CancellationToken cancellationToken)
    {
        await _signal.WaitAsync(cancellationToken);
        lock (_gate)
        {
            var taken = (_messages, _isNew);
            (_messages, _bytes, _isNew) = ([], 0, false);
            return taken;
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _signal.Dispose();

    private void Signal()
    {
        try
        {
            _signal.Release();
        }
        catch (SemaphoreFullException)
        {
            // It has been told.
        }
        catch (ObjectDisposedException)
        {
            // The server has stopped.
        }
    }
}
