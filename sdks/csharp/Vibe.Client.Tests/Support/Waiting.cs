namespace Vibe.Client.Tests.Support;

/// <summary>Waits for what a test means, with a bound that only a broken program reaches.</summary>
internal static class Waiting
{
    public static readonly TimeSpan Limit = TimeSpan.FromSeconds(60);

    /// <summary>The next items of a stream, until one is the one that is waited for.</summary>
    public static async Task<T> UntilAsync<T>(this IAsyncEnumerator<T> stream, Func<T, bool> found)
    {
        while (await stream.MoveNextAsync().AsTask().WaitAsync(Limit))
        {
            if (found(stream.Current))
            {
                return stream.Current;
            }
        }

        throw new InvalidOperationException("The stream ended before.");
    }

    /// <summary>The next item of a stream.</summary>
    public static Task<T> NextAsync<T>(this IAsyncEnumerator<T> stream) => stream.UntilAsync(static _ => true);
}
