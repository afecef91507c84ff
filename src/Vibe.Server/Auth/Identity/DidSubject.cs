using System.Security.Cryptography;
using System.Text.Json;
using System.Text.Json.Nodes;
using Vibe.Postgres.Sessions;

namespace Vibe.Server.Auth.Identity;

/// <summary>What the document of a DID of this server says beside its keys.</summary>
internal sealed record DidSubject
{
    public required string Did { get; init; }

    /// <summary>Whether the account or app was deleted: its document is gone, its log is not.</summary>
    public required bool IsDeleted { get; init; }

    /// <summary>Other names of it.</summary>
    public IReadOnlyList<string> AlsoKnownAs { get; init; } = [];

    /// <summary>Who decides about it; null: it does itself.</summary>
    public string? Controller { get; init; }

    /// <summary>Keys it proves itself with.</summary>
    public IReadOnlyList<JsonObject> ClientKeys { get; init; } = [];

    /// <summary>Where to find what belongs to it.</summary>
    public IReadOnlyList<(string Name, string Type, string Address)> Services { get; init; } = [];
}

/// <summary>Reads what the documents of DIDs are made from.</summary>
internal sealed class DidSubjects(Database database, AuthOptions options)
{
    /// <summary>The account or app of an id; null when there never was one.</summary>
    /// <param name="kind"><c>users</c> or <c>apps</c>.</param>
    /// <param name="id">The id in its DID.</param>
    /// <param name="cancellationToken">Stops waiting.</param>
    public Task<DidSubject?> FindAsync(string kind, Guid id, CancellationToken cancellationToken) =>
        kind == "users" ? FindUserAsync(options.DidOf(kind, id), cancellationToken) : FindAppAsync(options.DidOf(kind, id), cancellationToken);

    private Task<DidSubject?> FindUserAsync(string did, CancellationToken cancellationToken) => database.Owner.QueryFirstAsync(
        $"select handle, delete_time is not null from vibe.accounts where did = {did}",
        row => new DidSubject
        {
            Did = did,
            IsDeleted = row.GetBoolean(1),
            AlsoKnownAs = row.GetStringOrNull(0) is { } handle ? [$"{options.Issuer}/@{handle}"] : [],
            Services = [("data", "VibeDataStore", options.Issuer), ("issuer", "OpenIDProvider", options.Issuer)],
        },
        cancellationToken);

    private async Task<DidSubject?> FindAppAsync(string did, CancellationToken cancellationToken)
    {
        var batch = database.Owner.CreateBatch(Access.Read);
        var app = batch.QueryFirst(
            $"select name, owner_did, manifest, delete_time is not null from vibe.apps where did = {did}",
            static row => (Name: row.GetString(0), Owner: row.GetStringOrNull(1), Manifest: row.GetJson(2), IsDeleted: row.GetBoolean(3)));
        var keys = batch.Query(
            $"""
            select jwk from vibe.app_credentials
            where app_did = {did} and kind = 'key' and revoke_time is null and (expire_time is null or expire_time > now()) order by id
            """,
            static row => row.GetJson(0));
        await batch.RunAsync(cancellationToken);
        if (app.Value.Name is null)
        {
            return null;
        }

        using var manifest = JsonDocument.Parse(app.Value.Manifest);
        var origins = manifest.RootElement.TryGetProperty("origins", out var list) ? list.EnumerateArray().Select(static origin => origin.GetString()!) : [];
        var hash = Convert.ToHexStringLower(SHA256.HashData(app.Value.Manifest.Span));
        return new DidSubject
        {
            Did = did,
            IsDeleted = app.Value.IsDeleted,
            Controller = app.Value.Owner,
            ClientKeys = [.. keys.Value.Select(static jwk => JsonNode.Parse(jwk.Span)!.AsObject())],
            Services =
            [
                .. origins.Select(static (origin, index) => ($"origin-{index + 1}", "LinkedDomains", origin)),
                ("manifest", "VibeAppManifest", $"{options.Issuer}/v1/apps/{app.Value.Name}#sha256={hash}"),
            ],
        };
    }
}
