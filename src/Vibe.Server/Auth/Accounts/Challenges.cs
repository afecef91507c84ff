using System.Text.Json;
using Vibe.Postgres.Sessions;

namespace Vibe.Server.Auth.Accounts;

/// <summary>What was started, as it was kept.</summary>
/// <param name="Did">Whose it is; null when nobody is known yet.</param>
/// <param name="State">What the WebAuthn handler must see again.</param>
/// <param name="Details">JSON that the one who started it put there.</param>
internal sealed record Challenge(string? Did, string State, ReadOnlyMemory<byte> Details);

/// <summary>Challenges that wait for their answer: each is used up by the first try, and belongs to the browser that asked for it.</summary>
internal sealed class Challenges(Database database, AccountOptions options, TimeProvider time)
{
    /// <summary>Keeps one and names it.</summary>
    public async Task<Guid> CreateAsync(HttpContext http, string purpose, string? did, string state, object details, CancellationToken cancellationToken)
    {
        // Nothing in the name may be guessed, so it is no UUID of time.
        var id = Guid.NewGuid();
        await database.Owner.ExecuteAsync(
            $"""
            insert into vibe.challenges (id, purpose, browser_hash, did, state, details, expire_time)
            values ({id}, {purpose}, {BrowserBinding.Ensure(http)}, {did}, {state}, {JsonSerializer.SerializeToUtf8Bytes(details)},
              {time.GetUtcNow() + options.ChallengeLife})
            """,
            cancellationToken);
        return id;
    }

    /// <summary>Uses one up; null when there is none of this purpose for this browser that is still good.</summary>
    public async Task<Challenge?> TakeAsync(HttpContext http, string? id, string purpose, CancellationToken cancellationToken) =>
        BrowserBinding.Find(http) is { } browser && Guid.TryParse(id, out var name)
            ? await database.Owner.WriteFirstAsync(
                $"""
                delete from vibe.challenges where id = {name} and purpose = {purpose} and browser_hash = {browser} and expire_time > {time.GetUtcNow()}
                returning did, state, details
                """,
                static row => new Challenge(row.GetStringOrNull(0), row.GetString(1), row.GetJson(2)),
                cancellationToken)
            : null;
}
