namespace Grpc.Core;

/// <summary>A stream of messages to read. One read at a time.</summary>
/// <typeparam name="T">The message.</typeparam>
public interface IAsyncStreamReader<out T>
{
    /// <summary>The message that the last <see cref="MoveNext"/> found.</summary>
    T Current { get; }

    /// <summary>Waits for the next message; false when the stream ended well.</summary>
    /// <param name="cancellationToken">On a client, cancelling it cancels the whole call.</param>
    /// <exception cref="RpcException">The call ended with another status than OK.</exception>
    Task<bool> MoveNext(CancellationToken cancellationToken);
}

/// <summary>A stream of messages to write. One write at a time.</summary>
/// <typeparam name="T">The message.</typeparam>
public interface IAsyncStreamWriter<in T>
{
    /// <summary>How the next messages are written; null means no hints.</summary>
    WriteOptions? WriteOptions { get; set; }

    /// <summary>Writes a message. Completes when the transport took it, which is how a slow reader slows the writer down.</summary>
    /// <param name="message">The message, which must not change until the task completes.</param>
    Task WriteAsync(T message);

    /// <summary>Writes a message.</summary>
    /// <param name="message">The message, which must not change until the task completes.</param>
    /// <param name="cancellationToken">On a client, cancelling it cancels the whole call.</param>
    Task WriteAsync(T message, CancellationToken cancellationToken)
    {
        if (cancellationToken.CanBeCanceled)
        {
            throw new NotSupportedException("This stream cannot cancel a write.");
        }

        return WriteAsync(message);
    }
}

/// <summary>The server's side of a response stream. It ends when the handler returns.</summary>
/// <typeparam name="T">The message.</typeparam>
public interface IServerStreamWriter<in T> : IAsyncStreamWriter<T>
{
}

/// <summary>The client's side of a request stream.</summary>
/// <typeparam name="T">The message.</typeparam>
public interface IClientStreamWriter<in T> : IAsyncStreamWriter<T>
{
    /// <summary>Ends the stream. Nothing can be written afterwards; responses can still be read.</summary>
    Task CompleteAsync();
}
