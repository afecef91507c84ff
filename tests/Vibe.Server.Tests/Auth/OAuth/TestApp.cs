using System.Buffers.Text;
using System.Net.Http.Headers;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;
using Google.Protobuf;
using Vibe.Apps.V1;
using Vibe.Postgres.Sessions;
using Vibe.Server.Auth.Tokens;
using Vibe.Server.Tests.Api;

namespace Vibe.Server.Tests.Auth.OAuth;

/// <summary>An app as a client of the provider: what it registered, and how it asks for tokens.</summary>
internal sealed class TestApp
{
    public const string Origin = "https://app.example";
    public const string Callback = "https://app.example/callback?kept=1";
    public const string Scope = "openid profile offline_access documents:notes:read documents:notes:write feed";

    private static int Names;
    private readonly ApiServer _server;

    private TestApp(ApiServer server, string did, string? secret) => (_server, Did, Secret) = (server, did, secret);

    public string Did { get; }

    /// <summary>The secret of a confidential app.</summary>
    public string? Secret { get; }

    /// <summary>The key it signs proofs with; null for bearer tokens.</summary>
    public TestKey? Key { get; init; }

    /// <summary>The same app with proofs of a key.</summary>
    public TestApp With(TestKey? key) => new(_server, Did, Secret) { Key = key };

    /// <summary>The same app, asking another node.</summary>
    public TestApp At(ApiServer server) => new(server, Did, Secret) { Key = Key };

    public static async Task<TestApp> CreateAsync(ApiServer server, ClientType type = ClientType.Web, Action<AppManifest>? change = null)
    {
        var name = $"app-{Interlocked.Increment(ref Names)}";
        var did = $"did:web:vibe.test:apps:{name}";
        var manifest = new AppManifest
        {
            DisplayName = name,
            ClientType = type,
            Origins = { Origin },
            RedirectUris = { Callback },
            PostLogoutRedirectUris = { "https://app.example/bye" },
            VisitorCollections = { "news" },
            Scopes =
            {
                new ScopeRequest { Name = "documents:notes:read", Descriptions = { ["en"] = "Show your notes" } },
                new ScopeRequest { Name = "documents:notes:write", Descriptions = { ["en"] = "Change your notes" } },
                new ScopeRequest { Name = "feed", Grants = { "documents:posts:read", "documents:likes:write" }, Descriptions = { ["en"] = "Your feed" } },
            },
        };
        change?.Invoke(manifest);
        await server.Database.Owner.ExecuteAsync(
            $"insert into vibe.apps (did, name, manifest) values ({did}, {name}, {Encoding.UTF8.GetBytes(JsonFormatter.Default.Format(manifest))})",
            CancellationToken.None);
        var secret = type == ClientType.Confidential ? Base64Url.EncodeToString(RandomNumberGenerator.GetBytes(32)) : null;
        if (secret is not null)
        {
            var hash = new Bytea(SHA256.HashData(Encoding.UTF8.GetBytes(secret)));
            await server.Database.Owner.ExecuteAsync(
                $"insert into vibe.app_credentials (id, app_did, kind, secret_hash) values ({Guid.CreateVersion7()}, {did}, 'secret', {hash})",
                CancellationToken.None);
        }

        return new TestApp(server, did, secret);
    }

    /// <summary>Gives the app a key to sign assertions with.</summary>
    public async Task AddKeyAsync(TestKey key)
    {
        var jwk = Encoding.UTF8.GetBytes(key.Public.ToJwk().ToJsonString());
        await _server.Database.Owner.ExecuteAsync(
            $"insert into vibe.app_credentials (id, app_did, kind, jwk) values ({Guid.CreateVersion7()}, {Did}, 'key', {jwk})", CancellationToken.None);
    }

    /// <summary>Posts a form as this app: its secret goes along when it has one, its proof when it has a key.</summary>
    public Task<ApiAnswer> PostAsync(string path, params (string Name, string Value)[] fields) => PostAsync(path, fields, change: null);

    /// <inheritdoc cref="PostAsync(string, ValueTuple{string, string}[])"/>
    public Task<ApiAnswer> PostAsync(string path, (string Name, string Value)[] fields, Action<HttpRequestMessage>? change)
    {
        List<(string Name, string Value)> all = [("client_id", Did), .. fields];
        if (Secret is not null)
        {
            all.Add(("client_secret", Secret));
        }

        return SendAsync(path, all, request =>
        {
            if (Key is not null)
            {
                request.Headers.Add("DPoP", Key.Prove("POST", ApiServer.Issuer + path));
            }

            change?.Invoke(request);
        });
    }

    /// <summary>Posts exactly these fields.</summary>
    public async Task<ApiAnswer> SendAsync(string path, IEnumerable<(string Name, string Value)> fields, Action<HttpRequestMessage>? change = null)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, path)
        {
            Content = new FormUrlEncodedContent(fields.Select(static field => KeyValuePair.Create(field.Name, field.Value))),
        };
        change?.Invoke(request);
        using var response = await _server.Http.SendAsync(request);
        return await ApiAnswer.ReadAsync(response);
    }

    /// <summary>Redeems a code.</summary>
    public Task<ApiAnswer> RedeemAsync(string code, string verifier, string redirectUri = Callback) => PostAsync(
        "/oauth/token", ("grant_type", "authorization_code"), ("code", code), ("redirect_uri", redirectUri), ("code_verifier", verifier));

    /// <summary>Uses a refresh token.</summary>
    public Task<ApiAnswer> RefreshAsync(string refreshToken, string? scope = null) => PostAsync(
        "/oauth/token", [("grant_type", "refresh_token"), ("refresh_token", refreshToken), .. scope is null ? [] : ((string, string)[])[("scope", scope)]]);

    /// <summary>Asks for what a person's token may see.</summary>
    public async Task<ApiAnswer> UserInfoAsync(string accessToken)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, "/oauth/userinfo");
        request.Headers.Authorization = new AuthenticationHeaderValue(Key is null ? "Bearer" : "DPoP", accessToken);
        if (Key is not null)
        {
            request.Headers.Add("DPoP", Key.Prove("GET", ApiServer.Issuer + "/oauth/userinfo", accessToken));
        }

        using var response = await _server.Http.SendAsync(request);
        return await ApiAnswer.ReadAsync(response);
    }
}

/// <summary>A P-256 key that a client holds.</summary>
internal sealed class TestKey(TimeProvider clock)
{
    private readonly ECDsa _key = ECDsa.Create(ECCurve.NamedCurves.nistP256);

    public VerificationKey Public => new(_key);

    public string Thumbprint => Public.Thumbprint;

    /// <summary>A proof as RFC 9449 section 4.2 wants it, but for what is changed.</summary>
    public string Prove(
        string method, string url, string? accessToken = null, Action<JsonObject>? changeHeader = null, Action<JsonObject>? changeClaims = null,
        DateTimeOffset? time = null)
    {
        var jwk = Public.ToJwk();
        var header = new JsonObject
        {
            ["typ"] = "dpop+jwt", ["alg"] = "ES256",
            ["jwk"] = new JsonObject { ["kty"] = "EC", ["crv"] = "P-256", ["x"] = (string?)jwk["x"], ["y"] = (string?)jwk["y"] },
        };
        var claims = new JsonObject
        {
            ["jti"] = Guid.NewGuid().ToString(), ["htm"] = method, ["htu"] = url, ["iat"] = (time ?? clock.GetUtcNow()).ToUnixTimeSeconds(),
        };
        if (accessToken is not null)
        {
            claims["ath"] = Base64Url.EncodeToString(SHA256.HashData(Encoding.ASCII.GetBytes(accessToken)));
        }

        changeHeader?.Invoke(header);
        changeClaims?.Invoke(claims);
        return Sign(header, claims);
    }

    /// <summary>A client assertion (RFC 7523 section 3), but for what is changed.</summary>
    public string Assert(string client, string audience, Action<JsonObject>? change = null)
    {
        var claims = new JsonObject
        {
            ["iss"] = client, ["sub"] = client, ["aud"] = audience, ["jti"] = Guid.NewGuid().ToString(),
            ["exp"] = clock.GetUtcNow().AddMinutes(5).ToUnixTimeSeconds(),
        };
        change?.Invoke(claims);
        return Sign(new JsonObject { ["alg"] = "ES256", ["typ"] = "JWT" }, claims);
    }

    private string Sign(JsonObject header, JsonObject claims)
    {
        var signed = $"{Encode(header)}.{Encode(claims)}";
        return $"{signed}.{Base64Url.EncodeToString(_key.SignData(Encoding.ASCII.GetBytes(signed), HashAlgorithmName.SHA256))}";

        static string Encode(JsonObject json) => Base64Url.EncodeToString(Encoding.UTF8.GetBytes(json.ToJsonString()));
    }
}
