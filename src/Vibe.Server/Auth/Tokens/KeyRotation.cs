using Vibe.Postgres.Sessions;

namespace Vibe.Server.Auth.Tokens;

/// <summary>
/// Makes, promotes and removes signing keys, and tells this node what others did. A key is published an hour before it
/// signs and stays known for a day and an hour after: no verifier that fetches the keys every five minutes ever meets
/// one it does not know.
/// </summary>
internal sealed class KeyRotation(SigningKeyStore store, SigningKeys keys, TimeProvider time, ILogger<KeyRotation> log) : BackgroundService
{
    /// <summary>How long a key signs.</summary>
    public static readonly TimeSpan ActiveLife = TimeSpan.FromDays(90);

    /// <summary>How long a key is published before it signs.</summary>
    public static readonly TimeSpan PublishedBefore = TimeSpan.FromHours(1);

    /// <summary>How long a key is known after it signed last: the longest life of a token (<c>vibe token</c>: a day), and an hour.</summary>
    public static readonly TimeSpan KnownAfter = TimeSpan.FromHours(25);

    /// <summary>The time between two looks.</summary>
    public static readonly TimeSpan Interval = TimeSpan.FromMinutes(1);

    /// <summary>Looks once: makes what is missing, promotes and removes what is due.</summary>
    public async Task RunOnceAsync(CancellationToken cancellationToken)
    {
        var now = time.GetUtcNow();
        keys.Replace(await store.ReadAsync(cancellationToken));
        await RotateAsync("ES256", now, cancellationToken);
        if (keys.FindActive("RS256") is not null)
        {
            await RotateAsync("RS256", now, cancellationToken);
        }

        await store.DeleteRetiredAsync(now - KnownAfter, cancellationToken);
        keys.Replace(await store.ReadAsync(cancellationToken));
    }

    /// <summary>The key that signs with an algorithm; the first one is made when somebody asks: RSA keys cost a tenth of a second.</summary>
    public async Task<SigningKey> GetActiveAsync(string algorithm, CancellationToken cancellationToken)
    {
        if (keys.FindActive(algorithm) is { } known)
        {
            return known;
        }

        await store.InsertAsync(SigningKey.Create(algorithm, KeyState.Active, time.GetUtcNow()), cancellationToken);
        keys.Replace(await store.ReadAsync(cancellationToken));
        return keys.FindActive(algorithm) ?? throw new InvalidOperationException($"No key signs with {algorithm}.");
    }

    /// <inheritdoc/>
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(Interval, time);
        try
        {
            do
            {
                try
                {
                    await RunOnceAsync(stoppingToken);
                }
                catch (DatabaseException exception)
                {
                    TokensLog.KeysUnread(log, exception);
                }
            }
            while (await timer.WaitForNextTickAsync(stoppingToken));
        }
        catch (OperationCanceledException)
        {
            // The server stops.
        }
    }

    private async Task RotateAsync(string algorithm, DateTimeOffset now, CancellationToken cancellationToken)
    {
        var active = await GetActiveAsync(algorithm, cancellationToken);
        var next = keys.All.FirstOrDefault(key => key.Algorithm == algorithm && key.State == KeyState.Next);
        if (next is null)
        {
            await store.InsertAsync(SigningKey.Create(algorithm, KeyState.Next, now), cancellationToken);
        }
        else if (now - active.StateTime >= ActiveLife && now - next.StateTime >= PublishedBefore)
        {
            await store.PromoteAsync(active, next, now, cancellationToken);
            await store.InsertAsync(SigningKey.Create(algorithm, KeyState.Next, now), cancellationToken);
            TokensLog.KeyRotated(log, algorithm);
        }
    }
}
