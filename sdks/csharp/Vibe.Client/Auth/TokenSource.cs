namespace Vibe.Client.Auth;

/// <summary>An access token, and the key it is bound to.</summary>
/// <param name="Value">What is sent.</param>
/// <param name="Key">The key; null for a bearer token.</param>
/// <param name="UseUntil">When it is no longer used; null when it is used until the server refuses it.</param>
internal sealed record AccessToken(string Value, DpopKey? Key, DateTimeOffset? UseUntil)
{
    // Used up a little before its end: it has to arrive.
    private static readonly TimeSpan Early = TimeSpan.FromSeconds(30);

    public bool IsGood(TimeProvider time) => UseUntil is not { } end || time.GetUtcNow() < end;

    public static DateTimeOffset EndOf(TimeSpan life, TimeProvider time) => time.GetUtcNow() + (life > 2 * Early ? life - Early : life / 2);
}

/// <summary>Gives the tokens of calls. Thread-safe.</summary>
internal abstract class TokenSource
{
    /// <summary>The token of the next call; null for a signed-out visitor.</summary>
    /// <param name="refused">The token that the server has refused; null when it refused none.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    /// <exception cref="VibeException">There is none: the session has ended, or the server does not answer.</exception>
    public abstract ValueTask<AccessToken?> GetAsync(string? refused, CancellationToken cancellationToken);

    /// <summary>Whether a new token may be good after the server has revoked the last one.</summary>
    public virtual bool OutlivesRevocation => false;
}

/// <summary>Tokens that are asked for when the last one is used up, by one caller for all.</summary>
internal abstract class RenewedTokens(TimeProvider time) : TokenSource
{
    private readonly Lock _lock = new();
    private AccessToken? _current;
    private Task<AccessToken?>? _renewal;

    public override async ValueTask<AccessToken?> GetAsync(string? refused, CancellationToken cancellationToken)
    {
        Task<AccessToken?> renewal;
        lock (_lock)
        {
            if (_current is { } current && current.Value != refused && current.IsGood(time))
            {
                return current;
            }

            // Not with the caller's token: a refresh token works once, and its answer is for all who wait.
            renewal = _renewal ??= Task.Run(() => RenewOnceAsync(refused), CancellationToken.None);
        }

        return await renewal.WaitAsync(cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Asks for a token, and hands it to <see cref="Replace"/>; null for a signed-out visitor.</summary>
    /// <param name="refused">The token that the server has refused.</param>
    protected abstract Task<AccessToken?> RenewAsync(string? refused);

    /// <summary>Another token is the current one: somebody has signed in or out.</summary>
    protected void Replace(AccessToken? token)
    {
        lock (_lock)
        {
            _current = token;
        }
    }

    private async Task<AccessToken?> RenewOnceAsync(string? refused)
    {
        try
        {
            return await RenewAsync(refused).ConfigureAwait(false);
        }
        finally
        {
            lock (_lock)
            {
                _renewal = null;
            }
        }
    }
}
