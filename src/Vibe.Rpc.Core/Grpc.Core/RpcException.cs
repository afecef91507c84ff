namespace Grpc.Core;

/// <summary>A call that failed. A handler throws it to choose the status; a client catches it.</summary>
public class RpcException : Exception
{
    /// <summary>A failed call.</summary>
    /// <param name="status">How it ended.</param>
    public RpcException(Status status)
        : this(status, Metadata.Empty, status.ToString())
    {
    }

    /// <summary>A failed call.</summary>
    /// <param name="status">How it ended.</param>
    /// <param name="message">The exception's message, which does not go over the wire.</param>
    public RpcException(Status status, string message)
        : this(status, Metadata.Empty, message)
    {
    }

    /// <summary>A failed call.</summary>
    /// <param name="status">How it ended.</param>
    /// <param name="trailers">Metadata sent with, or received with, the status.</param>
    public RpcException(Status status, Metadata trailers)
        : this(status, trailers, status.ToString())
    {
    }

    /// <summary>A failed call.</summary>
    /// <param name="status">How it ended.</param>
    /// <param name="trailers">Metadata sent with, or received with, the status.</param>
    /// <param name="message">The exception's message, which does not go over the wire.</param>
    public RpcException(Status status, Metadata trailers, string message)
        : base(message, status.DebugException)
    {
        ArgumentNullException.ThrowIfNull(trailers);
        Status = status;
        Trailers = trailers;
    }

    /// <summary>How the call ended.</summary>
    public Status Status { get; }

    /// <summary>The canonical code, same as <c>Status.StatusCode</c>.</summary>
    public StatusCode StatusCode => Status.StatusCode;

    /// <summary>Metadata that goes with the status; may hold <c>grpc-status-details-bin</c>.</summary>
    public Metadata Trailers { get; }
}
