using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;
using Microsoft.Extensions.DependencyInjection;
using Vibe.Server.Auth.Tokens;

namespace Vibe.Server.Tests.Api;

/// <summary>Access tokens that this server did not make, or would not make any more.</summary>
internal static class Tokens
{
    /// <summary>Every claim as it should be, signed by another key that calls itself ours.</summary>
    public static string OfOtherKey(ApiServer server, string scope)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        return Sign(KeyOf(server).Id, new SigningKey(key, KeyState.Active, default), ApiServer.Issuer, scope);
    }

    /// <summary>Ours, for someone else.</summary>
    public static string OfOtherAudience(ApiServer server, string scope) => Sign(KeyOf(server).Id, KeyOf(server), "http://other.localhost", scope);

    private static SigningKey KeyOf(ApiServer server) => server.App.Services.GetRequiredService<SigningKeys>().Active;

    private static string Sign(string keyId, SigningKey key, string audience, string scope)
    {
        var header = new JsonObject { ["alg"] = "ES256", ["typ"] = "at+jwt", ["kid"] = keyId };
        var claims = new JsonObject
        {
            ["iss"] = ApiServer.Issuer,
            ["aud"] = audience,
            ["sub"] = "did:web:vibe.test:users:mallory",
            ["scope"] = scope,
            ["iat"] = TimeProvider.System.GetUtcNow().ToUnixTimeSeconds(),
            ["exp"] = (TimeProvider.System.GetUtcNow() + TimeSpan.FromHours(1)).ToUnixTimeSeconds(),
        };
        var signed = $"{Encode(header)}.{Encode(claims)}";
        return $"{signed}.{Base64Url.EncodeToString(key.Sign(Encoding.ASCII.GetBytes(signed)))}";
    }

    private static string Encode(JsonObject json) => Base64Url.EncodeToString(Encoding.UTF8.GetBytes(json.ToJsonString()));
}
