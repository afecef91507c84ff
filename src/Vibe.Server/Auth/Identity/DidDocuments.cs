using System.Buffers.Text;
using System.Data;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;
using Vibe.Postgres.Sessions;
using Vibe.Server.Auth.Tokens;

namespace Vibe.Server.Auth.Identity;

/// <summary>
/// The documents of the DIDs of this server, and their logs. A document is what the tables say now; when that is not what the
/// last entry of the log says, an entry is added before anybody is shown the new document. So the log holds every version that
/// was ever seen, in order, and nobody rewrites it unnoticed: each entry names the hash of the one before.
/// </summary>
internal sealed class DidDocuments(Database database, DidSubjects subjects, DidKeys keys, TimeProvider time)
{
    private static readonly JsonSerializerOptions Compact = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <summary>The document of an account or app, as text; null when there never was one or it was deleted.</summary>
    public async Task<string?> FindAsync(string kind, Guid id, CancellationToken cancellationToken)
    {
        var subject = await subjects.FindAsync(kind, id, cancellationToken);
        if (subject is null or { IsDeleted: true })
        {
            return null;
        }

        var signing = await keys.FindOrCreateAsync(subject.Did, DidKeyPurpose.Signing, cancellationToken);
        var update = await keys.FindOrCreateAsync(subject.Did, DidKeyPurpose.Update, cancellationToken);
        var document = Write(subject, signing.Public, update.Public).ToJsonString(Compact);
        await LogAsync(subject.Did, document, update, cancellationToken);
        return document;
    }

    /// <summary>The log of a DID, one entry a line; empty when nobody ever asked for its document.</summary>
    public Task<IReadOnlyList<string>> LogOfAsync(string did, CancellationToken cancellationToken) => database.Owner.QueryAsync(
        $"select entry from vibe.did_log where did = {did} order by version", static row => row.GetString(0), cancellationToken);

    private static JsonObject Write(DidSubject subject, VerificationKey signing, VerificationKey update)
    {
        var methods = new JsonArray(Method(subject.Did, "signing", signing.ToJwk()), Method(subject.Did, "update", update.ToJwk()));
        var authentication = new JsonArray();
        for (var i = 0; i < subject.ClientKeys.Count; i++)
        {
            var name = string.Create(CultureInfo.InvariantCulture, $"client-{i + 1}");
            methods.Add(Method(subject.Did, name, subject.ClientKeys[i]));
            authentication.Add((JsonNode)$"{subject.Did}#{name}");
        }

        var document = new JsonObject
        {
            ["@context"] = new JsonArray("https://www.w3.org/ns/did/v1", "https://w3id.org/security/jwk/v1"),
            ["id"] = subject.Did,
        };
        if (subject.AlsoKnownAs.Count > 0)
        {
            document["alsoKnownAs"] = new JsonArray([.. subject.AlsoKnownAs.Select(static name => JsonValue.Create(name))]);
        }

        if (subject.Controller is not null)
        {
            document["controller"] = subject.Controller;
        }

        document["verificationMethod"] = methods;
        document["assertionMethod"] = new JsonArray($"{subject.Did}#signing");
        if (authentication.Count > 0)
        {
            document["authentication"] = authentication;
        }

        document["service"] = new JsonArray([.. subject.Services.Select(service => new JsonObject
        {
            ["id"] = $"{subject.Did}#{service.Name}", ["type"] = service.Type, ["serviceEndpoint"] = service.Address,
        })]);
        return document;
    }

    private static JsonObject Method(string did, string name, JsonObject jwk) => new()
    {
        ["id"] = $"{did}#{name}", ["type"] = "JsonWebKey", ["controller"] = did, ["publicKeyJwk"] = jwk,
    };

    private async Task LogAsync(string did, string document, SigningKey update, CancellationToken cancellationToken)
    {
        Sql last = $"select version, entry, document from vibe.did_log where did = {did} order by version desc limit 1";
        var known = await database.Owner.QueryFirstAsync(last, ReadLast, cancellationToken);
        if (known.Document == document)
        {
            return;
        }

        await using var transaction = await database.Owner.BeginAsync(Access.Write, IsolationLevel.ReadCommitted, cancellationToken);
        // One node after the other: an entry follows exactly one.
        await transaction.QueryAsync($"select pg_advisory_xact_lock(hashtextextended({did}, 0)) is null", static row => row.GetBoolean(0), cancellationToken);
        known = await transaction.QueryFirstAsync(last, ReadLast, cancellationToken);
        if (known.Document == document)
        {
            return;
        }

        var entry = Sign(known, document, update);
        await transaction.ExecuteAsync(
            $"insert into vibe.did_log (did, version, entry, document) values ({did}, {known.Version + 1}, {entry}, {document})", cancellationToken);
        await transaction.CommitAsync(cancellationToken);
    }

    // The signature is over the line as it is without the last member, so that nobody needs a canonical form of JSON.
    private string Sign((int Version, string? Entry, string? Document) known, string document, SigningKey update)
    {
        var entry = new JsonObject
        {
            ["version"] = known.Version + 1,
            ["previous"] = known.Entry is null ? null : HashOf(known.Entry),
            ["document"] = HashOf(document),
            ["time"] = time.GetUtcNow().ToString("yyyy-MM-ddTHH:mm:ssZ", CultureInfo.InvariantCulture),
            ["updateKey"] = update.Public.ToJwk(),
        }.ToJsonString(Compact);
        var signature = Base64Url.EncodeToString(update.Sign(Encoding.UTF8.GetBytes(entry)));
        return $$"""{{entry[..^1]}},"signature":"{{signature}}"}""";
    }

    private static (int Version, string? Entry, string? Document) ReadLast(Row row) => (row.GetInt32(0), row.GetString(1), row.GetString(2));

    private static string HashOf(string text) => Base64Url.EncodeToString(SHA256.HashData(Encoding.UTF8.GetBytes(text)));
}
