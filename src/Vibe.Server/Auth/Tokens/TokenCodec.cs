using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Vibe.Server.Auth.Tokens;

/// <summary>
/// Access tokens as compact JWS (RFC 7515) with ES256, in the profile of RFC 9068. Checks in the order of cost; every
/// check that fails throws the same error.
/// </summary>
internal sealed class TokenCodec(SigningKeys keys, AuthOptions options, TimeProvider time)
{
    private const string Type = "at+jwt";

    /// <summary>How far clocks may differ.</summary>
    public static readonly TimeSpan Skew = TimeSpan.FromSeconds(30);

    private static readonly JsonDocumentOptions Strict = new() { MaxDepth = 16, AllowDuplicateProperties = false };

    // `at+jwt` stays readable: nothing here goes into HTML.
    private static readonly JsonSerializerOptions Compact = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <summary>The largest token looked at, in bytes.</summary>
    public const int MaxTokenBytes = 8192;

    /// <summary>Signs the claims with the active key.</summary>
    public string Sign(AccessToken token)
    {
        var key = keys.Active;
        var header = new JsonObject { ["alg"] = "ES256", ["typ"] = Type, ["kid"] = key.Id };
        var payload = new JsonObject
        {
            ["iss"] = options.Issuer,
            ["aud"] = options.Issuer,
            ["sub"] = token.Subject,
            ["client_id"] = token.Client,
            ["scope"] = token.Scope,
            ["sid"] = token.Grant,
            ["cnf"] = token.KeyThumbprint is null ? null : new JsonObject { ["jkt"] = token.KeyThumbprint },
            ["iat"] = time.GetUtcNow().ToUnixTimeSeconds(),
            ["exp"] = token.ExpireTime.ToUnixTimeSeconds(),
            ["jti"] = Base64Url.EncodeToString(RandomNumberGenerator.GetBytes(16)),
        };
        foreach (var absent in payload.Where(claim => claim.Value is null).Select(claim => claim.Key).ToArray())
        {
            payload.Remove(absent);
        }

        var signed = $"{Encode(header)}.{Encode(payload)}";
        var signature = key.Sign(Encoding.ASCII.GetBytes(signed));
        return $"{signed}.{Base64Url.EncodeToString(signature)}";

        static string Encode(JsonObject json) => Base64Url.EncodeToString(Encoding.UTF8.GetBytes(json.ToJsonString(Compact)));
    }

    /// <summary>Returns the claims of a token that is ours and alive.</summary>
    /// <exception cref="Grpc.Core.RpcException">UNAUTHENTICATED, reason TOKEN_INVALID or TOKEN_EXPIRED.</exception>
    public AccessToken Verify(string token)
    {
        if (token.Length > MaxTokenBytes || !Ascii.IsValid(token))
        {
            throw AuthErrors.TokenInvalid();
        }

        try
        {
            return VerifyWellFormed(token);
        }
        catch (Exception exception) when (exception is FormatException or JsonException or InvalidOperationException or KeyNotFoundException)
        {
            throw AuthErrors.TokenInvalid();
        }
    }

    private AccessToken VerifyWellFormed(string token)
    {
        if (token.Split('.') is not [var header, var payload, var signature])
        {
            throw AuthErrors.TokenInvalid();
        }

        CheckSignature(token.AsSpan(0, header.Length + 1 + payload.Length), header, signature);

        using var document = JsonDocument.Parse(Decode(payload), Strict);
        var claims = document.RootElement;
        var now = time.GetUtcNow();
        if (Text(claims, "iss") != options.Issuer || Text(claims, "aud") != options.Issuer)
        {
            throw AuthErrors.TokenInvalid();
        }

        if (claims.TryGetProperty("nbf", out var notBefore) && Time(notBefore) > now + Skew)
        {
            throw AuthErrors.TokenInvalid();
        }

        var expireTime = Time(claims.GetProperty("exp"));
        if (expireTime <= now - Skew)
        {
            throw AuthErrors.TokenExpired(expireTime);
        }

        // A clock that is ahead must not make tokens that outlive a revocation.
        var issueTime = Time(claims.GetProperty("iat"));
        if (issueTime > now + Skew)
        {
            throw AuthErrors.TokenInvalid();
        }

        return new AccessToken
        {
            Subject = Text(claims, "sub") ?? throw AuthErrors.TokenInvalid(),
            Client = Text(claims, "client_id"),
            Scope = Text(claims, "scope") ?? "",
            Grant = Text(claims, "sid"),
            KeyThumbprint = claims.TryGetProperty("cnf", out var confirmation) ? Text(confirmation, "jkt") ?? throw AuthErrors.TokenInvalid() : null,
            IssueTime = issueTime,
            ExpireTime = expireTime,
        };
    }

    private void CheckSignature(ReadOnlySpan<char> signed, string header, string signature)
    {
        using var document = JsonDocument.Parse(Decode(header), Strict);
        var fields = document.RootElement;
        var signatureBytes = Decode(signature);

        // The algorithm is ours to choose, not the token's: exactly this one, and no extension the sender calls critical.
        if (Text(fields, "alg") != "ES256" || Text(fields, "typ") != Type || fields.TryGetProperty("crit", out _)
            || Text(fields, "kid") is not { } id || keys.Find(id) is not { Algorithm: "ES256" } key)
        {
            throw AuthErrors.TokenInvalid();
        }

        Span<byte> bytes = stackalloc byte[signed.Length <= 2048 ? signed.Length : 0];
        if (bytes.IsEmpty)
        {
            bytes = new byte[signed.Length];
        }

        Encoding.ASCII.GetBytes(signed, bytes);
        if (!key.Public.Verify(bytes, signatureBytes))
        {
            throw AuthErrors.TokenInvalid();
        }
    }

    // The decoder lets white space, padding and stray bits at the end pass (RFC 7515 section 2 has none of them): one token, one text.
    private static byte[] Decode(string part)
    {
        var bytes = Base64Url.DecodeFromChars(part);
        return Base64Url.EncodeToString(bytes) == part ? bytes : throw AuthErrors.TokenInvalid();
    }

    private static string? Text(JsonElement claims, string name) =>
        claims.TryGetProperty(name, out var value) ? value.GetString() : null;

    private static DateTimeOffset Time(JsonElement value) =>
        value.TryGetInt64(out var seconds) && seconds is >= 0 and < 253_402_300_800
            ? DateTimeOffset.FromUnixTimeSeconds(seconds)
            : throw AuthErrors.TokenInvalid();
}
