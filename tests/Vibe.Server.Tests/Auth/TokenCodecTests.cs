using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;
using Grpc.Core;
using Vibe.Rpc;
using Vibe.Server.Auth;
using Vibe.Server.Auth.Tokens;

namespace Vibe.Server.Tests.Auth;

/// <summary>The token attacks: each forged token is refused, with the same words.</summary>
public sealed class TokenCodecTests
{
    private const string Issuer = "http://vibe.localhost:5080";
    private static readonly DateTimeOffset Now = new(2026, 1, 1, 12, 0, 0, TimeSpan.Zero);
    private static readonly AccessToken Token = new()
    {
        Subject = "did:web:vibe.localhost%3A5080:users:1",
        Client = "did:web:vibe.localhost%3A5080:apps:2",
        Scope = "documents:notes:read",
        IssueTime = Now,
        ExpireTime = Now.AddMinutes(10),
    };

    private readonly ECDsa _key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
    private readonly FixedTime _time = new(Now);

    // The tests write `key-1` for it.
    private string KeyId => new VerificationKey(_key).Thumbprint;

    private readonly TokenCodec _codec;

    public TokenCodecTests() =>
        _codec = new TokenCodec(new SigningKeys([new SigningKey(_key, KeyState.Active, default)]), new AuthOptions { Issuer = Issuer }, _time);

    [Fact]
    public void A_token_of_ours_comes_back_as_it_was_made() => Assert.Equal(Token, _codec.Verify(_codec.Sign(Token)));

    [Fact]
    public void A_token_names_its_type_and_key_as_RFC_9068_wants()
    {
        var header = JsonNode.Parse(Base64Url.DecodeFromChars(_codec.Sign(Token).Split('.')[0]))!;
        Assert.Equal(("ES256", "at+jwt", (string?)KeyId), ((string?)header["alg"], (string?)header["typ"], (string?)header["kid"]));
    }

    [Fact]
    public void An_expired_token_is_told_apart_from_a_forged_one()
    {
        var token = _codec.Sign(Token);
        _time.Now = Now.AddMinutes(10).AddSeconds(31);
        var error = Assert.Throws<RpcException>(() => _codec.Verify(token));
        Assert.Equal((StatusCode.Unauthenticated, "TOKEN_EXPIRED"), (error.StatusCode, error.GetErrorInfo()!.Reason));
    }

    [Theory]
    [InlineData("""{"alg":"none","typ":"at+jwt","kid":"key-1"}""")]
    [InlineData("""{"alg":"HS256","typ":"at+jwt","kid":"key-1"}""")]
    [InlineData("""{"alg":"RS256","typ":"at+jwt","kid":"key-1"}""")]
    [InlineData("""{"alg":"es256","typ":"at+jwt","kid":"key-1"}""")]
    [InlineData("""{"alg":"ES256","typ":"JWT","kid":"key-1"}""")]
    [InlineData("""{"alg":"ES256","kid":"key-1"}""")]
    [InlineData("""{"alg":"ES256","typ":"at+jwt","kid":"key-2"}""")]
    [InlineData("""{"alg":"ES256","typ":"at+jwt"}""")]
    [InlineData("""{"alg":"ES256","typ":"at+jwt","kid":"key-1","crit":["b64"],"b64":false}""")]
    [InlineData("""{"alg":"ES256","typ":"at+jwt","kid":"key-1","kid":"key-1"}""")]
    [InlineData("""{"alg":"ES256","typ":"at+jwt","kid":7}""")]
    [InlineData("""["ES256"]""")]
    [InlineData("{")]
    public void A_token_with_another_header_is_refused(string header) => AssertRefused(Forge(header: header));

    [Theory]
    [InlineData("iss", "\"http://evil.localhost\"")]
    [InlineData("iss", "null")]
    [InlineData("aud", "\"http://other.localhost\"")]
    [InlineData("aud", """["http://vibe.localhost:5080"]""")]
    [InlineData("exp", "\"1767270000\"")]
    [InlineData("exp", "null")]
    [InlineData("exp", "-1")]
    [InlineData("exp", "1e400")]
    [InlineData("nbf", "1767272400")]
    [InlineData("iat", "null")]
    [InlineData("iat", "1767268831")]
    [InlineData("iat", "\"1767268800\"")]
    [InlineData("sub", "null")]
    [InlineData("sub", "7")]
    [InlineData("scope", "[\"admin\"]")]
    public void A_token_with_another_claim_is_refused(string claim, string value)
    {
        var claims = Claims();
        claims.Remove(claim);
        if (value != "null")
        {
            claims[claim] = JsonNode.Parse(value);
        }

        AssertRefused(Forge(payload: claims.ToJsonString()));
    }

    [Fact]
    public void A_claim_given_twice_is_refused() =>
        AssertRefused(Forge(payload: Claims().ToJsonString().Insert(1, "\"sub\":\"did:web:evil\",")));

    [Fact]
    public void A_signature_of_another_key_is_refused()
    {
        using var other = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        AssertRefused(Forge(signer: other));
    }

    [Theory]
    [InlineData(0)]
    [InlineData(63)]
    [InlineData(64)]
    [InlineData(65)]
    public void A_signature_of_zeros_is_refused(int length)
    {
        var token = Forge();
        AssertRefused($"{token[..token.LastIndexOf('.')]}.{Base64Url.EncodeToString(new byte[length])}");
    }

    [Fact]
    public void A_signature_in_DER_is_refused()
    {
        var signed = Forge();
        signed = signed[..signed.LastIndexOf('.')];
        var signature = _key.SignData(Encoding.ASCII.GetBytes(signed), HashAlgorithmName.SHA256, DSASignatureFormat.Rfc3279DerSequence);
        AssertRefused($"{signed}.{Base64Url.EncodeToString(signature)}");
    }

    [Fact]
    public void Any_changed_character_is_refused()
    {
        var token = _codec.Sign(Token);
        for (var index = 0; index < token.Length; index++)
        {
            var forged = token[..index] + (token[index] == 'A' ? 'B' : 'A') + token[(index + 1)..];
            AssertRefused(forged);
        }
    }

    [Fact]
    public void A_part_has_one_spelling()
    {
        // The last character of the signature has four bits that mean nothing: sixteen texts of the same bytes, one of them ours.
        const string Alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
        var token = _codec.Sign(Token);
        foreach (var last in Alphabet.Where(last => last != token[^1]))
        {
            AssertRefused(token[..^1] + last);
        }

        AssertRefused(token + "==");
        AssertRefused(token.Insert(10, "\n"));
    }

    [Theory]
    [InlineData("")]
    [InlineData(".")]
    [InlineData("..")]
    [InlineData("a.b.c")]
    [InlineData("a.b.c.d")]
    [InlineData("ä.ö.ü")]
    [InlineData("eyJ.eyJ.!!")]
    public void Text_that_is_no_token_is_refused(string text) => AssertRefused(text);

    [Fact]
    public void A_token_over_the_size_limit_is_refused_unread() => AssertRefused(_codec.Sign(Token with { Scope = new string('x', 8192) }));

    private void AssertRefused(string token)
    {
        var error = Assert.Throws<RpcException>(() => _codec.Verify(token));
        Assert.Equal((StatusCode.Unauthenticated, "TOKEN_INVALID"), (error.StatusCode, error.GetErrorInfo()!.Reason));
        Assert.Equal("The access token is not valid here.", error.Status.Detail);
    }

    private static JsonObject Claims() => new()
    {
        ["iss"] = Issuer,
        ["aud"] = Issuer,
        ["sub"] = Token.Subject,
        ["client_id"] = Token.Client,
        ["scope"] = Token.Scope,
        ["iat"] = Token.IssueTime.ToUnixTimeSeconds(),
        ["exp"] = Token.ExpireTime.ToUnixTimeSeconds(),
    };

    private string Forge(string? header = null, string? payload = null, ECDsa? signer = null)
    {
        header = (header ?? """{"alg":"ES256","typ":"at+jwt","kid":"key-1"}""").Replace("key-1", KeyId, StringComparison.Ordinal);
        var signed = Encode(header) + "." + Encode(payload ?? Claims().ToJsonString());
        return signed + "." + Base64Url.EncodeToString((signer ?? _key).SignData(Encoding.ASCII.GetBytes(signed), HashAlgorithmName.SHA256));

        static string Encode(string text) => Base64Url.EncodeToString(Encoding.UTF8.GetBytes(text));
    }

    private sealed class FixedTime(DateTimeOffset now) : TimeProvider
    {
        public DateTimeOffset Now { get; set; } = now;

        public override DateTimeOffset GetUtcNow() => Now;
    }
}
