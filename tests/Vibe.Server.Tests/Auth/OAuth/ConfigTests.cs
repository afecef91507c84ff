using System.Net;
using System.Text.Json.Nodes;
using Vibe.Postgres.Tests;
using Vibe.Server.Tests.Api;

namespace Vibe.Server.Tests.Auth.OAuth;

/// <summary>The module Config of the OpenID conformance list: what the provider says of itself.</summary>
[Collection(PostgresCollection.Name)]
public sealed class ConfigTests(OAuthHost host) : IClassFixture<OAuthHost>
{
    private readonly ApiServer _server = host.Server;

    [Theory]
    [InlineData("/.well-known/openid-configuration")]
    [InlineData("/.well-known/oauth-authorization-server")]
    public async Task Discovery_says_what_there_is(string path)
    {
        var answer = await _server.Visitor().GetAsync(path);
        var document = answer.Ok();

        Assert.Equal(ApiServer.Issuer, (string?)document["issuer"]);
        Assert.Contains("openid", List(document, "scopes_supported"));
        Assert.Equal(["code"], List(document, "response_types_supported"));
        Assert.Equal(["public"], List(document, "subject_types_supported"));
        Assert.Equal(["S256"], List(document, "code_challenge_methods_supported"));

        // Both: certification asks for RS256, and everything of ours uses ES256.
        Assert.Equal(["ES256", "RS256"], List(document, "id_token_signing_alg_values_supported"));
        Assert.True((bool)document["authorization_response_iss_parameter_supported"]!);
        Assert.Contains("access-control-allow-origin: *", (await WithOriginAsync(path, "https://anywhere.example")).Headers);
    }

    [Fact]
    public async Task Every_endpoint_that_discovery_names_is_there()
    {
        var document = (await _server.Visitor().GetAsync("/.well-known/openid-configuration")).Ok().AsObject();
        foreach (var (name, value) in document.Where(static entry => entry.Key.EndsWith("_endpoint", StringComparison.Ordinal) || entry.Key == "jwks_uri"))
        {
            Assert.StartsWith(ApiServer.Issuer, (string)value!, StringComparison.Ordinal);
            using var request = new HttpRequestMessage(HttpMethod.Head, ((string)value!)[ApiServer.Issuer.Length..]);
            using var response = await _server.Http.SendAsync(request);
            Assert.True(response.StatusCode != HttpStatusCode.NotFound, name);
        }
    }

    [Fact]
    public async Task The_keys_have_no_private_part_and_unique_ids()
    {
        var keys = (await _server.Visitor().GetAsync("/oauth/jwks")).Ok()["keys"]!.AsArray();
        Assert.Equal(["ES256", "RS256"], keys.Select(static key => (string)key!["alg"]!).Distinct().Order());
        Assert.All(keys, static key =>
        {
            Assert.Equal("sig", (string?)key!["use"]);
            Assert.Equal((string?)key["alg"] == "ES256" ? ("EC", "P-256") : ("RSA", null), ((string?)key["kty"], (string?)key["crv"]));
            Assert.Empty(key.AsObject().Select(static field => field.Key).Intersect(["d", "p", "q", "dp", "dq", "qi", "k"]));
        });
        Assert.Equal(keys.Count, keys.Select(static key => (string?)key!["kid"]).Distinct().Count());
    }

    private async Task<ApiAnswer> WithOriginAsync(string path, string origin)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, path);
        request.Headers.Add("Origin", origin);
        using var response = await _server.Http.SendAsync(request);
        return await ApiAnswer.ReadAsync(response);
    }

    private static string[] List(JsonNode document, string name) => [.. document[name]!.AsArray().Select(static value => (string)value!)];
}
