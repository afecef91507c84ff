using System.Security.Cryptography;
using System.Text;
using Vibe.Postgres.Sessions;

namespace Vibe.Server.Auth.OAuth;

/// <summary>
/// Finds out which app asks, and whether it proved it: client_secret_basic, client_secret_post (RFC 6749 section 2.3.1) or
/// private_key_jwt (RFC 7523). An app that keeps no secret only names itself.
/// </summary>
internal sealed class ClientAuthentication(Clients clients, ClientAssertions assertions, Database database, TimeProvider time)
{
    /// <summary>The methods, as discovery names them.</summary>
    public static readonly IReadOnlyList<string> Methods = ["none", "client_secret_basic", "client_secret_post", "private_key_jwt"];

    /// <summary>The app.</summary>
    /// <param name="authorization">The header Authorization, null for none.</param>
    /// <param name="parameters">The request.</param>
    /// <param name="cancellationToken">Stops waiting.</param>
    /// <exception cref="OAuthError">invalid_client; invalid_request when it tries two ways at once.</exception>
    public async Task<Client> AuthenticateAsync(string? authorization, Parameters parameters, CancellationToken cancellationToken)
    {
        var basic = ReadBasic(authorization);
        var assertion = parameters["client_assertion"];
        var ways = (basic is null ? 0 : 1) + (parameters["client_secret"] is null ? 0 : 1) + (assertion is null ? 0 : 1);
        if (ways > 1)
        {
            throw OAuthError.InvalidRequest("The client authenticates in more than one way.");
        }

        if (assertion is not null)
        {
            return await OfAssertionAsync(assertion, parameters, cancellationToken);
        }

        var (id, secret) = basic ?? (parameters["client_id"], parameters["client_secret"]);
        if (basic is not null && parameters["client_id"] is { } named && named != id)
        {
            throw OAuthError.InvalidClient();
        }

        var client = id is null ? null : await clients.FindAsync(id, cancellationToken);
        if (client is null || client.IsDisabled || client.IsConfidential != secret is not null)
        {
            throw OAuthError.InvalidClient();
        }

        return secret is null || await IsSecretOfAsync(client, secret, cancellationToken) ? client : throw OAuthError.InvalidClient();
    }

    private async Task<Client> OfAssertionAsync(string assertion, Parameters parameters, CancellationToken cancellationToken)
    {
        if (parameters["client_assertion_type"] != ClientAssertions.Type)
        {
            throw OAuthError.InvalidRequest($"client_assertion_type must be {ClientAssertions.Type}.");
        }

        var client = await assertions.VerifyAsync(assertion, cancellationToken);
        return client is { IsConfidential: true, IsDisabled: false } && (parameters["client_id"] is not { } named || named == client.Did)
            ? client
            : throw OAuthError.InvalidClient();
    }

    private async Task<bool> IsSecretOfAsync(Client client, string secret, CancellationToken cancellationToken)
    {
        var (given, now) = (Secret.Hash(secret), time.GetUtcNow());
        var known = await database.Owner.QueryAsync(
            $"""
            select id, secret_hash, last_use_time from vibe.app_credentials
            where app_did = {client.Did} and kind = 'secret' and revoke_time is null and (expire_time is null or expire_time > {now})
            """,
            static row => (Id: row.GetGuid(0), Hash: row.GetBytes(1), LastUse: row.GetTimestampOrNull(2)),
            cancellationToken);

        // All are compared, each in the same time.
        Guid? found = null;
        foreach (var (id, hash, lastUse) in known)
        {
            if (CryptographicOperations.FixedTimeEquals(hash, given.Bytes.Span))
            {
                found = id;
                await CredentialUse.TouchAsync(database, id, lastUse, now, cancellationToken);
            }
        }

        return found is not null;
    }

    // `id:secret`, each form-encoded by itself. Programs that skip the encoding send a DID with its colons: a secret of ours has
    // none, so the last one separates.
    private static (string? Id, string? Secret)? ReadBasic(string? authorization)
    {
        const string Scheme = "Basic ";
        if (authorization is null || !authorization.StartsWith(Scheme, StringComparison.OrdinalIgnoreCase))
        {
            return null;
        }

        var buffer = new byte[authorization.Length];
        if (!Convert.TryFromBase64String(authorization[Scheme.Length..].Trim(), buffer, out var length))
        {
            throw OAuthError.InvalidClient();
        }

        var text = Encoding.UTF8.GetString(buffer, 0, length);
        var separator = text.LastIndexOf(':');
        if (separator < 0)
        {
            throw OAuthError.InvalidClient();
        }

        var (id, secret) = (text[..separator], text[(separator + 1)..]);
        return id.Contains(':', StringComparison.Ordinal)
            ? (id, secret)
            : (Uri.UnescapeDataString(id.Replace('+', ' ')), Uri.UnescapeDataString(secret.Replace('+', ' ')));
    }
}

/// <summary>Notes that a credential was used: once a minute is enough for who looks after an app.</summary>
internal static class CredentialUse
{
    private static readonly TimeSpan Interval = TimeSpan.FromMinutes(1);

    /// <summary>Writes the time down, unless that was done lately.</summary>
    public static Task TouchAsync(Database database, Guid id, DateTimeOffset? lastUse, DateTimeOffset now, CancellationToken cancellationToken) =>
        lastUse > now - Interval
            ? Task.CompletedTask
            : database.Owner.ExecuteAsync($"update vibe.app_credentials set last_use_time = {now} where id = {id}", cancellationToken);
}
