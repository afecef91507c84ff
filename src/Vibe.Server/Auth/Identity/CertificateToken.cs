using System.Globalization;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Vibe.Server.Auth.Tokens;

namespace Vibe.Server.Auth.Identity;

/// <summary>
/// A certificate as a compact JWS: the Verifiable Credentials Data Model 2.0 secured with JOSE, with the registered claims of
/// RFC 7519 beside it for those who read nothing else.
/// </summary>
internal static class CertificateToken
{
    /// <summary>The <c>typ</c> of the header.</summary>
    public const string Type = "vc+jwt";

    private const string Context = "https://www.w3.org/ns/credentials/v2";
    private const string Credential = "VerifiableCredential";
    private const string StatusEntry = "BitstringStatusListEntry";

    /// <summary>The address of a status list.</summary>
    public static string AddressOf(AuthOptions options, Guid list) => $"{options.Issuer}/status/{list}";

    /// <summary>What a key of a DID is called in tokens.</summary>
    public static string KeyIdOf(string did) => $"{did}#signing";

    /// <summary>Signs a certificate.</summary>
    public static string Sign(CertificateRow certificate, string statusList, int statusIndex, SigningKey key)
    {
        var subject = JsonNode.Parse(certificate.Claims.Span)!.AsObject();
        subject["id"] = certificate.Subject;
        var index = statusIndex.ToString(CultureInfo.InvariantCulture);
        var claims = new JsonObject
        {
            ["@context"] = new JsonArray(Context),
            ["id"] = $"urn:uuid:{certificate.Id}",
            ["type"] = new JsonArray(Credential, certificate.Type),
            ["issuer"] = certificate.Issuer,
            ["validFrom"] = Text(certificate.CreateTime),
            ["credentialSubject"] = subject,
            ["credentialStatus"] = new JsonObject
            {
                ["id"] = $"{statusList}#{index}", ["type"] = StatusEntry, ["statusPurpose"] = "revocation",
                ["statusListIndex"] = index, ["statusListCredential"] = statusList,
            },
            ["iss"] = certificate.Issuer,
            ["sub"] = certificate.Subject,
            ["jti"] = $"urn:uuid:{certificate.Id}",
            ["iat"] = certificate.CreateTime.ToUnixTimeSeconds(),
            ["nbf"] = certificate.CreateTime.ToUnixTimeSeconds(),
        };
        if (certificate.ExpireTime is { } end)
        {
            claims["validUntil"] = Text(end);
            claims["exp"] = end.ToUnixTimeSeconds();
        }

        if (certificate.KeyThumbprint.Length > 0)
        {
            claims["cnf"] = new JsonObject { ["jkt"] = certificate.KeyThumbprint };
        }

        return Jws.Sign(key, Type, claims, KeyIdOf(certificate.Issuer));
    }

    /// <summary>Reads what a token says; null when it is no certificate. The signature is not checked here.</summary>
    public static ReadCertificate? Read(Jws token)
    {
        var claims = token.Claims;
        if (token.HeaderText("typ") != Type || token.ClaimText("issuer") is not { } issuer || Types(claims) is not [Credential, var type]
            || !claims.TryGetProperty("credentialSubject", out var subject) || Member(subject, "id") is not { } holder
            // What is said twice must be the same, or two readers see two certificates.
            || (token.HasClaim("iss") && token.ClaimText("iss") != issuer) || (token.HasClaim("sub") && token.ClaimText("sub") != holder)
            || Time(token, "validFrom", "nbf") is not { } start || (HasEither(token, "validUntil", "exp") && Time(token, "validUntil", "exp") is null))
        {
            return null;
        }

        var rest = JsonNode.Parse(subject.GetRawText())!.AsObject();
        rest.Remove("id");
        var thumbprint = claims.TryGetProperty("cnf", out var confirmation) ? Member(confirmation, "jkt") : null;
        return new ReadCertificate(
            new CertificateRow
            {
                Id = IdOf(token.ClaimText("id")), Issuer = issuer, Subject = holder, Type = type, Claims = Encoding.UTF8.GetBytes(rest.ToJsonString()),
                KeyThumbprint = thumbprint ?? "", CreateTime = start, ExpireTime = Time(token, "validUntil", "exp"),
            },
            StatusOf(claims));
    }

    private static (string List, int Index)? StatusOf(JsonElement claims) =>
        claims.TryGetProperty("credentialStatus", out var status) && Member(status, "type") == StatusEntry && Member(status, "statusPurpose") == "revocation"
        && Member(status, "statusListCredential") is { } list
        && int.TryParse(Member(status, "statusListIndex"), NumberStyles.None, CultureInfo.InvariantCulture, out var index)
            ? (list, index)
            : null;

    private static string[] Types(JsonElement claims) =>
        claims.TryGetProperty("type", out var types) && types.ValueKind == JsonValueKind.Array && types.EnumerateArray().All(static type => type.ValueKind == JsonValueKind.String)
            ? [.. types.EnumerateArray().Select(static type => type.GetString()!)]
            : [];

    private static bool HasEither(Jws token, string first, string second) => token.HasClaim(first) || token.HasClaim(second);

    // Both when both are there, and then they must agree.
    private static DateTimeOffset? Time(Jws token, string text, string number)
    {
        DateTimeOffset? written = DateTimeOffset.TryParse(
            token.ClaimText(text), CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal | DateTimeStyles.AdjustToUniversal, out var parsed) ? parsed : null;
        var counted = token.ClaimTime(number);
        return !token.HasClaim(text) ? counted
            : token.HasClaim(number) && counted?.ToUnixTimeSeconds() != written?.ToUnixTimeSeconds() ? null
            : written;
    }

    private static Guid IdOf(string? urn) => Guid.TryParse(urn?.Replace("urn:uuid:", "", StringComparison.Ordinal), out var id) ? id : Guid.Empty;

    private static string? Member(JsonElement json, string name) =>
        json.ValueKind == JsonValueKind.Object && json.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.String ? value.GetString() : null;

    private static string Text(DateTimeOffset time) => time.UtcDateTime.ToString("yyyy-MM-ddTHH:mm:ssZ", CultureInfo.InvariantCulture);
}

/// <summary>What a token says.</summary>
/// <param name="Certificate">The certificate.</param>
/// <param name="Status">Where its revocation would show; null when it cannot be revoked.</param>
internal sealed record ReadCertificate(CertificateRow Certificate, (string List, int Index)? Status);
