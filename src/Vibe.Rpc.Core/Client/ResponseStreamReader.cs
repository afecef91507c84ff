using Grpc.Core;

namespace Vibe.Rpc.Client;

/// <summary>The responses of a streaming call.</summary>
internal sealed class ResponseStreamReader<TResponse>(
    CallLifetime lifetime, Task<ResponseReader?> opened, Marshaller<TResponse> marshaller) : IAsyncStreamReader<TResponse>
    where TResponse : class
{
    private TResponse? _current;

    /// <inheritdoc/>
    public TResponse Current => _current ?? throw new InvalidOperationException("There is no message: await MoveNext, and see that it is true.");

    /// <inheritdoc/>
    public async Task<bool> MoveNext(CancellationToken cancellationToken)
    {
        _current = null;
        using var cancellation = cancellationToken.UnsafeRegister(static state => ((CallLifetime)state!).Cancel(), lifetime);
        if (lifetime.TryBeginRead())
        {
            try
            {
                if (await opened.ConfigureAwait(false) is { } reader)
                {
                    (var found, _current) = await reader.ReadAsync(marshaller, lifetime.Ended).ConfigureAwait(false);
                    if (found)
                    {
                        return true;
                    }

                    var (status, trailers) = reader.ReadEnd();
                    lifetime.End(status, trailers);
                }
            }
            catch (Exception exception)
            {
                lifetime.Fail(exception);
            }
            finally
            {
                lifetime.EndRead();
            }
        }

        lifetime.ThrowIfFailed();
        return false;
    }
}
