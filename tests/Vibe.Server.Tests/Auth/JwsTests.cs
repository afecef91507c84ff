using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text.Json;
using System.Text.Json.Nodes;
using Vibe.Server.Auth.Tokens;

namespace Vibe.Server.Tests.Auth;

/// <summary>Keys that others hand in, and what they signed.</summary>
public sealed class JwsTests
{
    private static readonly JsonObject Claims = new() { ["sub"] = "somebody" };

    [Theory]
    [InlineData("ES256")]
    [InlineData("RS256")]
    public void A_key_comes_back_from_its_JWK_and_verifies(string algorithm)
    {
        var key = SigningKey.Create(algorithm, KeyState.Active, default);
        var read = VerificationKey.FromJwk(Parse(key.Public.ToJwk()))!;
        Assert.Equal((key.Id, algorithm), (read.Thumbprint, read.Algorithm));
        using var jws = Jws.Parse(Jws.Sign(key, "JWT", Claims));
        Assert.True(jws!.IsSignedBy(read));
        Assert.False(jws.IsSignedBy(SigningKey.Create(algorithm, KeyState.Active, default).Public));
    }

    [Fact]
    public void The_thumbprint_is_that_of_RFC_7638()
    {
        // The example of its section 3.1.
        var key = VerificationKey.FromJwk(Parse(new JsonObject
        {
            ["kty"] = "RSA",
            ["n"] = "0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECPebWKRXjBZCiFV4n3oknjhMstn64tZ_2W"
                + "-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu6qMQvRL5hajrn1n91CbOpbISD08qNLyrdkt"
                + "-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8awapJzKnqDKgw",
            ["e"] = "AQAB",
        }));
        Assert.Equal("NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs", key!.Thumbprint);
    }

    [Fact]
    public void A_key_of_one_kind_does_not_verify_what_claims_to_be_of_another()
    {
        var (curve, rsa) = (SigningKey.Create("ES256", KeyState.Active, default), SigningKey.Create("RS256", KeyState.Active, default));
        using var jws = Jws.Parse(Jws.Sign(curve, "JWT", Claims));
        Assert.False(jws!.IsSignedBy(rsa.Public));
    }

    [Theory]
    [InlineData("{\"iss\":\"\u00ff\"}")]
    [InlineData("{\"iss\":\"\\ud800\"}")]
    [InlineData("{\"\\ud800\":1}")]
    [InlineData("{\"a\":[{\"b\":\"\\udc00\"}]}")]
    public void What_says_text_that_is_none_is_no_token(string claims)
    {
        // Latin1: a byte of each character, as UTF-8 has no ÿ alone.
        var header = Base64Url.EncodeToString("""{"alg":"ES256"}"""u8);
        Assert.Null(Jws.Parse($"{header}.{Base64Url.EncodeToString(System.Text.Encoding.Latin1.GetBytes(claims))}.AAAA"));
        Assert.NotNull(Jws.Parse($"{header}.{Base64Url.EncodeToString("{}"u8)}.AAAA"));
    }

    [Fact]
    public void Keys_that_are_weak_private_shared_or_none_are_refused()
    {
        using var small = RSA.Create(1024);
        using var other = ECDsa.Create(ECCurve.NamedCurves.nistP384);
        var point = other.ExportParameters(includePrivateParameters: false).Q;
        var good = SigningKey.Create("ES256", KeyState.Active, default).Public.ToJwk();
        JsonNode[] bad =
        [
            new VerificationKey(small).ToJwk(),
            new JsonObject { ["kty"] = "EC", ["crv"] = "P-384", ["x"] = Base64Url.EncodeToString(point.X), ["y"] = Base64Url.EncodeToString(point.Y) },
            With("d", "AAAA"), With("x", (string?)good["y"]), With("y", null), With("x", "not base64url!"), With("x", 1), With("kty", "RSA"), With("crv", null),
            new JsonObject { ["kty"] = "oct", ["k"] = "AAAA" }, new JsonArray(), JsonValue.Create("key"),
        ];
        Assert.NotNull(VerificationKey.FromJwk(Parse(good)));
        Assert.All(bad, jwk => Assert.Null(VerificationKey.FromJwk(Parse(jwk))));

        JsonObject With(string name, JsonNode? value)
        {
            var changed = (JsonObject)good.DeepClone();
            changed[name] = value;
            return changed;
        }
    }

    private static JsonElement Parse(JsonNode json) => JsonDocument.Parse(json.ToJsonString()).RootElement;
}
