using System.Net;
using System.Threading.Channels;
using Microsoft.AspNetCore.Connections;

namespace Vibe.Rpc.Listener;

/// <summary>The connections of one protocol, in the form in which Kestrel accepts them.</summary>
internal sealed class SharedPortHalf(SharedPort port, ChannelReader<ConnectionContext> queue) : IConnectionListener
{
    public EndPoint EndPoint => port.EndPoint;

    public async ValueTask<ConnectionContext?> AcceptAsync(CancellationToken cancellationToken = default)
    {
        // An ended queue with connections left still yields them; null only when it is empty.
        while (await queue.WaitToReadAsync(cancellationToken))
        {
            if (queue.TryRead(out var connection))
            {
                return connection;
            }
        }

        return null;
    }

    public async ValueTask UnbindAsync(CancellationToken cancellationToken = default) => await port.UnbindAsync().WaitAsync(cancellationToken);

    public async ValueTask DisposeAsync()
    {
        await port.UnbindAsync();
        while (queue.TryRead(out var connection))
        {
            connection.Abort();
            await connection.DisposeAsync();
        }

        await port.ReleaseHalfAsync();
    }
}
