namespace Grpc.Core;

/// <summary>The way to a server, shared by any number of clients and calls. Thread-safe.</summary>
public abstract class ChannelBase
{
    /// <summary>A channel.</summary>
    /// <param name="target">The server's address.</param>
    protected ChannelBase(string target)
    {
        ArgumentNullException.ThrowIfNull(target);
        Target = target;
    }

    /// <summary>The server's address.</summary>
    public string Target { get; }

    /// <summary>Makes the invoker that sends calls over this channel.</summary>
    public abstract CallInvoker CreateCallInvoker();

    /// <summary>Ends the channel; calls that still run are cancelled.</summary>
    public Task ShutdownAsync() => ShutdownAsyncCore();

    /// <summary>Implements <see cref="ShutdownAsync"/>; does nothing unless overridden.</summary>
    protected virtual Task ShutdownAsyncCore() => Task.CompletedTask;
}
