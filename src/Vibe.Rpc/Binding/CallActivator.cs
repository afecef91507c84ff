using Grpc.Core;

namespace Vibe.Rpc.Binding;

/// <summary>Gives each call its instance of something, and disposes it after the call when it was made here.</summary>
internal abstract class CallActivator<T>(bool makes)
    where T : class
{
    public async Task<TResult> RunAsync<TResult>(ServerCallContext context, Func<T, Task<TResult>> invoke)
    {
        var instance = Get(context);
        try
        {
            return await invoke(instance);
        }
        finally
        {
            await ReleaseAsync(instance);
        }
    }

    public async Task RunAsync(ServerCallContext context, Func<T, Task> invoke)
    {
        var instance = Get(context);
        try
        {
            await invoke(instance);
        }
        finally
        {
            await ReleaseAsync(instance);
        }
    }

    /// <summary>The call's instance: made here, or from the container.</summary>
    protected abstract T Get(ServerCallContext context);

    private ValueTask ReleaseAsync(T instance)
    {
        // What the container made, the container disposes.
        switch (instance)
        {
            case IAsyncDisposable disposable when makes:
                return disposable.DisposeAsync();
            case IDisposable disposable when makes:
                disposable.Dispose();
                break;
        }

        return default;
    }
}
