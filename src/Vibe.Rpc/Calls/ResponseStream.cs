using Google.Protobuf;
using Grpc.Core;

namespace Vibe.Rpc.Calls;

/// <summary>The server's messages as the handler writes them.</summary>
internal sealed class ResponseStream<T>(RpcCall call) : IServerStreamWriter<T>
    where T : class
{
    private readonly CallGate _gate = new("write");

    public WriteOptions? WriteOptions { get; set; }

    public Task WriteAsync(T message) => WriteAsync(message, CancellationToken.None);

    public Task WriteAsync(T message, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(message);
        cancellationToken.ThrowIfCancellationRequested();
        _gate.Enter();
        ValueTask write;
        try
        {
            write = call.SendAsync((IMessage)message, (WriteOptions ?? call.WriteOptions)?.Flags ?? default, cancellationToken);
        }
        catch
        {
            _gate.Exit();
            throw;
        }

        if (write.IsCompletedSuccessfully)
        {
            write.GetAwaiter().GetResult();
            _gate.Exit();
            return Task.CompletedTask;
        }

        return WaitAsync(write);
    }

    /// <summary>Ends the handler's writing: a write that it left pending is waited for, so no message is cut.</summary>
    public ValueTask CloseAsync() => _gate.CloseAsync();

    private async Task WaitAsync(ValueTask write)
    {
        try
        {
            await write;
        }
        finally
        {
            _gate.Exit();
        }
    }
}
