using System.Net;
using System.Text.Json.Nodes;
using Vibe.Apps.V1;
using Vibe.Postgres.Tests;
using Vibe.Server.Tests.Api;

namespace Vibe.Server.Tests.Auth.OAuth;

/// <summary>Attacks on tokens that are bound to a key (RFC 9449), at the provider and at our own calls.</summary>
[Collection(PostgresCollection.Name)]
public sealed class DpopTests(OAuthHost host) : IClassFixture<OAuthHost>
{
    private const string Path = "/v1/documents";
    private const string Url = ApiServer.Issuer + Path;

    private readonly ApiServer _server = host.Server;
    private readonly TestKey _key = new(host.Time);

    /// <summary>What is wrong with a proof.</summary>
    public static TheoryData<string> Faults =>
    [
        "method", "address", "other host", "token hash", "no token hash", "old", "of the future", "no time", "no id", "type", "algorithm none",
        "algorithm HMAC", "private key", "shared key", "no key", "other key in the header", "critical extension", "not a token",
    ];

    [Fact]
    public async Task A_bound_token_works_with_a_proof_in_every_call()
    {
        var token = await TokenAsync();
        Assert.Equal(_key.Thumbprint, (string?)Person.Claims(token)["cnf"]!["jkt"]);
        Assert.Equal(HttpStatusCode.OK, (await CallAsync(token, _key.Prove("GET", Url, token))).Status);
        Assert.Equal(HttpStatusCode.OK, (await CallAsync(token, _key.Prove("GET", Url, token))).Status);

        // The address is what counts, not what is asked there.
        Assert.Equal(HttpStatusCode.OK, (await CallAsync(token, _key.Prove("GET", Url + "?collection=x#y", token))).Status);
    }

    [Theory]
    [MemberData(nameof(Faults))]
    public async Task A_proof_that_is_not_for_this_call_is_refused(string fault)
    {
        var token = await TokenAsync();
        var answer = await CallAsync(token, Forge(fault, "GET", Url, token));
        answer.Fails(HttpStatusCode.Unauthorized, "UNAUTHENTICATED", "PROOF_INVALID");
    }

    [Theory]
    [MemberData(nameof(Faults))]
    public async Task A_proof_that_is_not_for_this_request_brings_no_token(string fault)
    {
        if (fault is "token hash" or "no token hash")
        {
            return;
        }

        var app = await TestApp.CreateAsync(_server, ClientType.Confidential);
        var answer = await app.PostAsync(
            "/oauth/token", [("grant_type", "client_credentials")],
            request => request.Headers.Add("DPoP", Forge(fault, "POST", ApiServer.Issuer + "/oauth/token", accessToken: null)));
        Assert.Equal((HttpStatusCode.BadRequest, "invalid_dpop_proof"), (answer.Status, (string?)answer.Json["error"]));
    }

    [Fact]
    public async Task A_proof_works_once()
    {
        var token = await TokenAsync();
        var proof = _key.Prove("GET", Url, token);
        Assert.Equal(HttpStatusCode.OK, (await CallAsync(token, proof)).Status);
        (await CallAsync(token, proof)).Fails(HttpStatusCode.Unauthorized, "UNAUTHENTICATED", "PROOF_INVALID");
    }

    [Fact]
    public async Task Two_proofs_are_none()
    {
        var token = await TokenAsync();
        (await CallAsync(token, _key.Prove("GET", Url, token), _key.Prove("GET", Url, token))).Fails(HttpStatusCode.Unauthorized, "UNAUTHENTICATED", "PROOF_INVALID");
    }

    [Fact]
    public async Task A_stolen_token_is_worth_nothing_without_its_key()
    {
        var token = await TokenAsync();
        var thief = new TestKey(host.Time);
        (await CallAsync(token)).Fails(HttpStatusCode.Unauthorized, "UNAUTHENTICATED", "PROOF_INVALID");
        (await CallAsync(token, thief.Prove("GET", Url, token))).Fails(HttpStatusCode.Unauthorized, "UNAUTHENTICATED", "PROOF_INVALID");
        (await new ApiUser(_server, "", token).GetAsync(Path + "?collection=notes")).Fails(HttpStatusCode.Unauthorized, "UNAUTHENTICATED", "PROOF_INVALID");
    }

    [Fact]
    public async Task A_bearer_token_does_not_become_a_bound_one()
    {
        var (app, person) = (await TestApp.CreateAsync(_server), await Person.CreateAsync(_server));
        var token = (string)(await person.TokensAsync(app))["access_token"]!;
        (await CallAsync(token, _key.Prove("GET", Url, token))).Fails(HttpStatusCode.Unauthorized, "UNAUTHENTICATED", "PROOF_INVALID");
    }

    [Fact]
    public async Task Userinfo_wants_the_proof_too()
    {
        var (app, person) = ((await TestApp.CreateAsync(_server)).With(_key), await Person.CreateAsync(_server));
        var token = (string)(await person.TokensAsync(app))["access_token"]!;
        (await app.UserInfoAsync(token)).Ok();
        Assert.Equal(HttpStatusCode.Unauthorized, (await app.With(null).UserInfoAsync(token)).Status);
        Assert.Equal(HttpStatusCode.Unauthorized, (await app.With(new TestKey(host.Time)).UserInfoAsync(token)).Status);
    }

    [Fact]
    public async Task A_code_that_was_asked_for_with_a_key_is_redeemed_with_it()
    {
        var (app, person) = (await TestApp.CreateAsync(_server), await Person.CreateAsync(_server));
        var code = (await person.AllowAsync(app, ("dpop_jkt", _key.Thumbprint)))["code"];
        Assert.Equal("invalid_grant", (string?)(await app.RedeemAsync(code, Person.Verifier)).Json["error"]);
        Assert.Equal("invalid_grant", (string?)(await app.With(new TestKey(host.Time)).RedeemAsync(code, Person.Verifier)).Json["error"]);
        (await app.With(_key).RedeemAsync(code, Person.Verifier)).Ok();
    }

    [Fact]
    public async Task An_app_that_wants_bound_tokens_gets_no_others()
    {
        var app = await TestApp.CreateAsync(_server, ClientType.Confidential, static manifest => manifest.DpopBoundAccessTokens = true);
        Assert.Equal("invalid_dpop_proof", (string?)(await app.PostAsync("/oauth/token", ("grant_type", "client_credentials"))).Json["error"]);
        Assert.Equal("DPoP", (string?)(await app.With(_key).PostAsync("/oauth/token", ("grant_type", "client_credentials"))).Ok()["token_type"]);
    }

    private string Forge(string fault, string method, string url, string? accessToken)
    {
        string Prove(Action<JsonObject>? header = null, Action<JsonObject>? claims = null, TimeSpan age = default) =>
            _key.Prove(method, url, accessToken, header, claims, host.Time.GetUtcNow() - age);
        return fault switch
        {
            "method" => Prove(claims: static claims => claims["htm"] = "PUT"),
            "address" => Prove(claims: claims => claims["htu"] = url + "/other"),
            "other host" => Prove(claims: claims => claims["htu"] = url.Replace("vibe.localhost", "evil.localhost", StringComparison.Ordinal)),
            "token hash" => _key.Prove(method, url, "another token", time: host.Time.GetUtcNow()),
            "no token hash" => _key.Prove(method, url, time: host.Time.GetUtcNow()),
            "old" => Prove(age: TimeSpan.FromSeconds(61)),
            "of the future" => Prove(age: TimeSpan.FromSeconds(-40)),
            "no time" => Prove(claims: static claims => claims.Remove("iat")),
            "no id" => Prove(claims: static claims => claims.Remove("jti")),
            "type" => Prove(static header => header["typ"] = "JWT"),
            "algorithm none" => Prove(static header => header["alg"] = "none"),
            "algorithm HMAC" => Prove(static header => header["alg"] = "HS256"),
            "private key" => Prove(static header => header["jwk"]!["d"] = "AAAA"),
            "shared key" => Prove(static header => header["jwk"] = new JsonObject { ["kty"] = "oct", ["k"] = "AAAA" }),
            "no key" => Prove(static header => header.Remove("jwk")),
            "other key in the header" => Prove(header => header["jwk"] = new TestKey(host.Time).Public.ToJwk()),
            "critical extension" => Prove(static header => header["crit"] = new JsonArray("b64")),
            _ => "not.a.token",
        };
    }

    private async Task<string> TokenAsync()
    {
        var (app, person) = ((await TestApp.CreateAsync(_server)).With(_key), await Person.CreateAsync(_server));
        return (string)(await person.TokensAsync(app))["access_token"]!;
    }

    private async Task<ApiAnswer> CallAsync(string token, params string[] proofs)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, Path + "?collection=notes");
        request.Headers.Add("Authorization", $"DPoP {token}");
        request.Headers.Add("DPoP", proofs);
        using var response = await _server.Http.SendAsync(request);
        return await ApiAnswer.ReadAsync(response);
    }
}
