using System.Buffers.Text;
using System.Net;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Vibe.Postgres.Tests;
using Vibe.Server.Auth.Tokens;
using Vibe.Server.Tests.Api;
using Vibe.Server.Tests.Apps;

namespace Vibe.Server.Tests.Auth.Identity;

/// <summary>Documents of DIDs and their logs, read as anybody reads them.</summary>
[Collection(PostgresCollection.Name)]
public sealed class DidDocumentTests(ApiHost host) : IClassFixture<ApiHost>
{
    private readonly ApiServer _server = host.Server;

    [Fact]
    public async Task A_user_has_a_document_with_keys_and_a_handle_and_nothing_private()
    {
        var (id, did) = await UserAsync("doc-user");
        var document = (await GetAsync($"/users/{id:N}/did.json")).AsObject();
        Assert.Equal(did, (string)document["id"]!);
        Assert.Equal("http://vibe.localhost:0/@doc-user", (string)document["alsoKnownAs"]![0]!);
        Assert.Equal([$"{did}#signing", $"{did}#update"], document["verificationMethod"]!.AsArray().Select(static method => (string)method!["id"]!));
        Assert.Equal($"{did}#signing", (string)Assert.Single(document["assertionMethod"]!.AsArray())!);
        Assert.DoesNotContain("\"d\"", document.ToJsonString(), StringComparison.Ordinal);
        var stored = await _server.Database.Owner.QueryAsync(
            $"select private_key from vibe.did_keys where did = {did}", static row => row.GetBytes(0), CancellationToken.None);
        // Encrypted: not what an unencrypted PKCS #8 begins with.
        Assert.All(stored, static key => Assert.False(key.AsSpan().StartsWith(new byte[] { 0x30, 0x81 })));
    }

    [Fact]
    public async Task An_app_lists_its_keys_its_origins_and_who_controls_it()
    {
        var owner = await _server.PersonAsync();
        var name = People.NewName();
        var did = (string)(await owner.PostAsync("/v1/apps", $$$"""{"name":"{{{name}}}","manifest":{"displayName":"{{{name}}}","clientType":"CLIENT_TYPE_CONFIDENTIAL","origins":["https://app.example"]} }""")).Ok()["did"]!;
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var jwk = new VerificationKey(key).ToJwk();
        var credential = (await owner.PostAsync($"/v1/apps/{name}/credentials", $$"""{"jwk":{{jwk.ToJsonString()}} }""")).Ok()["credential"]!;
        (await owner.PostAsync($"/v1/apps/{name}/credentials", "{}")).Ok();

        var path = $"/apps/{did[(did.LastIndexOf(':') + 1)..]}/did.json";
        var document = await GetAsync(path);
        Assert.Equal(owner.Did, (string)document["controller"]!);
        Assert.Equal($"{did}#client-1", (string)Assert.Single(document["authentication"]!.AsArray())!);
        Assert.Equal((string)jwk["x"]!, (string)document["verificationMethod"]![2]!["publicKeyJwk"]!["x"]!);
        Assert.Contains("https://app.example", document["service"]!.ToJsonString(), StringComparison.Ordinal);

        (await owner.DeleteAsync($"/v1/apps/{name}/credentials/{credential["id"]}")).Ok();
        Assert.Null((await GetAsync(path))["authentication"]);
        (await owner.DeleteAsync($"/v1/apps/{name}")).Ok();
        Assert.Equal(HttpStatusCode.NotFound, (await _server.Http.GetAsync(path)).StatusCode);
        Assert.Equal(2, VerifyLog(await LogAsync(path)).Count);
    }

    [Fact]
    public async Task Every_version_that_was_seen_is_in_the_log_and_a_forged_log_does_not_verify()
    {
        var (id, did) = await UserAsync("log-user");
        var path = $"/users/{id:N}/did.json";
        var texts = new List<string> { await _server.Http.GetStringAsync(path), await _server.Http.GetStringAsync(path) };
        Assert.Equal(texts[0], texts[1]);
        await _server.Database.Owner.ExecuteAsync($"update vibe.accounts set handle = 'log-user-2' where did = {did}", CancellationToken.None);
        // Many at once make one entry.
        texts = [.. texts[..1], .. await Task.WhenAll(Enumerable.Range(0, 8).Select(_ => _server.Http.GetStringAsync(path)))];
        Assert.Single(texts[1..].Distinct());

        var log = await LogAsync(path);
        Assert.Equal([HashOf(texts[0]), HashOf(texts[1])], VerifyLog(log));

        Assert.Throws<InvalidOperationException>(() => VerifyLog([log[1]]));
        Assert.Throws<InvalidOperationException>(() => VerifyLog([log[1], log[0]]));
        Assert.Throws<InvalidOperationException>(() => VerifyLog([log[0].Replace(HashOf(texts[0]), HashOf("x"), StringComparison.Ordinal), log[1]]));
        using var thief = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        Assert.Throws<InvalidOperationException>(() => VerifyLog([log[0], Resigned(log[1], thief)]));
    }

    [Fact]
    public async Task The_host_has_a_document_and_unknown_ids_have_none()
    {
        Assert.Equal("did:web:vibe.localhost%3A0", (string)(await GetAsync("/.well-known/did.json"))["id"]!);
        foreach (var path in new[] { $"/users/{Guid.NewGuid():N}/did.json", $"/apps/{Guid.NewGuid():N}/did.json", $"/users/{Guid.NewGuid():N}/did.jsonl", "/users/x/did.json", $"/others/{Guid.NewGuid():N}/did.json", $"/status/{Guid.NewGuid()}" })
        {
            Assert.Equal(HttpStatusCode.NotFound, (await _server.Http.GetAsync(path)).StatusCode);
        }
    }

    // As somebody else would write it: the chain of hashes, and each signature with the key that the entry before named.
    private static List<string> VerifyLog(IReadOnlyList<string> lines)
    {
        List<string> documents = [];
        VerificationKey? key = null;
        for (var i = 0; i < lines.Count; i++)
        {
            using var entry = JsonDocument.Parse(lines[i]);
            var root = entry.RootElement;
            var signedBy = VerificationKey.FromJwk(root.GetProperty("updateKey"))!;
            var signature = root.GetProperty("signature").GetString()!;
            var unsigned = lines[i].Replace($",\"signature\":\"{signature}\"}}", "}", StringComparison.Ordinal);
            var previous = root.GetProperty("previous").GetString();
            if (root.GetProperty("version").GetInt32() != i + 1 || previous != (i == 0 ? null : HashOf(lines[i - 1]))
                || !(key ?? signedBy).Verify(Encoding.UTF8.GetBytes(unsigned), Base64Url.DecodeFromChars(signature)))
            {
                throw new InvalidOperationException($"Entry {i + 1} is forged.");
            }

            key = signedBy;
            documents.Add(root.GetProperty("document").GetString()!);
        }

        return documents;
    }

    private static string Resigned(string line, ECDsa thief)
    {
        var entry = JsonNode.Parse(line)!.AsObject();
        entry.Remove("signature");
        entry["updateKey"] = new VerificationKey(thief).ToJwk();
        var text = entry.ToJsonString(new JsonSerializerOptions { Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping });
        var signature = Base64Url.EncodeToString(thief.SignData(Encoding.UTF8.GetBytes(text), HashAlgorithmName.SHA256));
        return $$"""{{text[..^1]}},"signature":"{{signature}}"}""";
    }

    private static string HashOf(string text) => Base64Url.EncodeToString(SHA256.HashData(Encoding.UTF8.GetBytes(text)));

    private async Task<IReadOnlyList<string>> LogAsync(string path) =>
        (await _server.Http.GetStringAsync($"{path}l")).Split('\n', StringSplitOptions.RemoveEmptyEntries);

    private async Task<JsonNode> GetAsync(string path)
    {
        using var response = await _server.Http.GetAsync(path);
        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        Assert.Equal("public, max-age=300", response.Headers.CacheControl!.ToString());
        return JsonNode.Parse(await response.Content.ReadAsStringAsync())!;
    }

    private async Task<(Guid Id, string Did)> UserAsync(string handle)
    {
        var id = Guid.CreateVersion7();
        var did = $"did:web:vibe.localhost%3A0:users:{id:N}";
        await _server.Database.Owner.ExecuteAsync($"insert into vibe.accounts (did, handle) values ({did}, {handle})", CancellationToken.None);
        return (id, did);
    }
}
