using System.Diagnostics.CodeAnalysis;
using Grpc.Core;
using Vibe.Rpc.Wire;

namespace Vibe.Rpc.Client;

/// <summary>The requests of a streaming call.</summary>
[SuppressMessage(
    "Design",
    "CA1001",
    Justification = "CompleteAsync gives the buffer back; a call that ends without it leaves it to the collector, since a write may still run.")]
internal sealed class RequestStreamWriter<TRequest>(
    CallLifetime lifetime, StreamContent content, Marshaller<TRequest> marshaller, RequestFramer framer) : IClientStreamWriter<TRequest>
    where TRequest : class
{
    // Beyond this, holding messages back saves nothing: HTTP/2 cuts them into frames of 16 KB anyway.
    private const int MaxHeldBack = 32 * 1024;

    private readonly PooledBuffer _pending = new();
    private int _busy;
    private bool _completed;

    /// <inheritdoc/>
    public WriteOptions? WriteOptions { get; set; }

    /// <inheritdoc/>
    public Task WriteAsync(TRequest message) => WriteAsync(message, CancellationToken.None);

    /// <inheritdoc/>
    public async Task WriteAsync(TRequest message, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(message);
        Enter();
        try
        {
            using var cancellation = cancellationToken.UnsafeRegister(static state => ((CallLifetime)state!).Cancel(), lifetime);
            ThrowIfEnded();
            var flags = WriteOptions?.Flags ?? WriteFlags.None;
            try
            {
                framer.Append(_pending, marshaller, message, flags);
            }
            catch (Exception exception)
            {
                lifetime.Fail(exception);
                throw;
            }

            if (!flags.HasFlag(WriteFlags.BufferHint) || _pending.Length >= MaxHeldBack)
            {
                await FlushAsync().ConfigureAwait(false);
            }
        }
        finally
        {
            Volatile.Write(ref _busy, 0);
        }
    }

    /// <inheritdoc/>
    public async Task CompleteAsync()
    {
        Enter();
        try
        {
            _completed = true;
            if (lifetime.HasEnded)
            {
                // The stream is being reset; to end it well now would pass off what was written as the whole.
                return;
            }

            if (_pending.Length > 0)
            {
                await FlushAsync().ConfigureAwait(false);
            }

            _pending.Dispose();
            content.Complete();
        }
        finally
        {
            Volatile.Write(ref _busy, 0);
        }
    }

    private async Task FlushAsync()
    {
        try
        {
            var stream = await content.OpenedAsync.ConfigureAwait(false);
            await stream.WriteAsync(_pending.WrittenMemory, lifetime.Ended).ConfigureAwait(false);
            await stream.FlushAsync(lifetime.Ended).ConfigureAwait(false);
        }
        catch (Exception exception)
        {
            // The status that the server sent, if it is known, says more than the broken write.
            ThrowIfEnded();
            throw new RpcException(FailureStatus.From(exception));
        }
        finally
        {
            _pending.Clear();
        }
    }

    private void Enter()
    {
        if (Interlocked.Exchange(ref _busy, 1) != 0)
        {
            throw new InvalidOperationException("A write is in progress: await it before the next.");
        }

        if (_completed)
        {
            Volatile.Write(ref _busy, 0);
            throw new InvalidOperationException("The stream of requests has been completed.");
        }
    }

    private void ThrowIfEnded()
    {
        if (lifetime.HasEnded)
        {
            lifetime.ThrowIfFailed();
            throw new InvalidOperationException("The server has ended the call; nothing more can be written.");
        }
    }
}
