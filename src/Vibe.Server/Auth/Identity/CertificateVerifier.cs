using System.Text;
using System.Text.Json;
using Vibe.Server.Auth.Tokens;
using Result = Vibe.Auth.V1.VerifyCertificateResponse.Types.Result;

namespace Vibe.Server.Auth.Identity;

/// <summary>Checks certificates, our own and those of issuers elsewhere.</summary>
internal sealed class CertificateVerifier(DidResolver resolver, GuardedFetcher fetcher, CertificateStore store, AuthOptions options, TimeProvider time)
{
    private const int MaxListBytes = 256 * 1024;

    /// <summary>Checks a token.</summary>
    /// <returns>What came of it; the certificate unless it is not authentic.</returns>
    public async Task<(Result Result, CertificateRow? Certificate)> VerifyAsync(string token, CancellationToken cancellationToken)
    {
        using var jws = Jws.Parse(token);
        if (jws is null || CertificateToken.Read(jws) is not { } read || !await IsSignedAsync(jws, read.Certificate.Issuer, cancellationToken))
        {
            return (Result.NotAuthentic, null);
        }

        var certificate = read.Certificate;
        var now = time.GetUtcNow();
        if (certificate.CreateTime > now + TokenCodec.Skew || certificate.ExpireTime <= now)
        {
            return (Result.OutOfTime, certificate);
        }

        if (options.IsOurs(certificate.Issuer))
        {
            return await store.FindOfIssuerAsync(certificate.Issuer, certificate.Id, cancellationToken) switch
            {
                // Signed, but not known: the database is not the one it was issued by.
                null => (Result.StatusUnknown, certificate),
                { RevokeTime: not null } known => (Result.Revoked, known),
                var known => (Result.Valid, known),
            };
        }

        if (read.Status is not { } status)
        {
            return (Result.Valid, certificate);
        }

        return await IsRevokedAsync(status.List, status.Index, certificate.Issuer, cancellationToken) switch
        {
            null => (Result.StatusUnknown, certificate),
            true => (Result.Revoked, certificate),
            false => (Result.Valid, certificate),
        };
    }

    private async Task<bool> IsSignedAsync(Jws token, string issuer, CancellationToken cancellationToken) =>
        token.HeaderText("alg") == "ES256" && token.HeaderText("kid") is { } keyId
        && await resolver.FindAssertionKeyAsync(issuer, keyId, cancellationToken) is { } key && token.IsSignedBy(key);

    // A list of another issuer would let anybody bring certificates back to life.
    private async Task<bool?> IsRevokedAsync(string list, int index, string issuer, CancellationToken cancellationToken)
    {
        if (!Uri.TryCreate(list, UriKind.Absolute, out var address) || await fetcher.FetchAsync(address, MaxListBytes, cancellationToken) is not { } bytes)
        {
            return null;
        }

        using var token = Jws.Parse(Encoding.ASCII.GetString(bytes), MaxListBytes);
        return token is not null && token.HeaderText("typ") == CertificateToken.Type && token.ClaimText("issuer") == issuer
            && await IsSignedAsync(token, issuer, cancellationToken)
            && token.Claims.TryGetProperty("credentialSubject", out var subject) && subject.ValueKind == JsonValueKind.Object
            && subject.TryGetProperty("statusPurpose", out var purpose) && purpose.ValueKind == JsonValueKind.String && purpose.GetString() == "revocation"
            && subject.TryGetProperty("encodedList", out var encoded) && encoded.ValueKind == JsonValueKind.String && encoded.GetString() is { Length: > 1 } bits
                ? StatusLists.Read(bits, index)
                : null;
    }
}
