using System.Text.RegularExpressions;
using Google.Protobuf.WellKnownTypes;
using Grpc.Core;
using Vibe.Auth.V1;
using Vibe.Rpc.Json;
using Vibe.Server.Auth.Tokens;
using Vibe.Server.Kernel;
using Vibe.Server.Pipeline;

namespace Vibe.Server.Auth.Identity;

/// <summary>The certificates API. What it does is said in the contract.</summary>
internal sealed partial class CertificatesService(
    CertificateStore store, CertificateVerifier verifier, DidKeys keys, PageTokens tokens, AuthOptions options, TimeProvider time)
    : Vibe.Auth.V1.CertificatesService.CertificatesServiceBase
{
    private const int MaxPage = 200;
    private const int MaxClaimsBytes = 4096;

    // In the token they stand one level down.
    private static readonly StructJsonLimits ClaimsLimits = new() { MaxDepth = Jws.MaxDepth - 1 };

    /// <inheritdoc/>
    public override async Task<IssueCertificateResponse> IssueCertificate(IssueCertificateRequest request, ServerCallContext context)
    {
        var certificate = Read(request.Certificate, SelfOf(context));
        // Before anything is locked: the key may have to be made.
        var key = await keys.FindOrCreateAsync(certificate.Issuer, DidKeyPurpose.Signing, context.CancellationToken);
        var row = await store.AddAsync(
            certificate, (row, list, index) => CertificateToken.Sign(row, CertificateToken.AddressOf(options, list), index, key), context.CancellationToken);
        return new() { Certificate = row.ToProto() };
    }

    /// <inheritdoc/>
    public override async Task<GetCertificateResponse> GetCertificate(GetCertificateRequest request, ServerCallContext context)
    {
        var row = await store.FindAsync(SelfOf(context), IdOf(request.Id), context.CancellationToken) ?? throw CertificateErrors.NotFound(request.Id);
        return new() { Certificate = row.ToProto() };
    }

    /// <inheritdoc/>
    public override async Task<ListCertificatesResponse> ListCertificates(ListCertificatesRequest request, ServerCallContext context)
    {
        var self = SelfOf(context);
        var size = PageSize.Of(request.PageSize, MaxPage);
        var page = new PageQuery(context.GetCaller(), "ListCertificates", request.Issued.ToString(), request.Type);
        Guid? before = request.PageToken.Length == 0 ? null : new Guid(tokens.Open(page, request.PageToken));
        var rows = await store.ListAsync(self, request.Issued, request.Type, size + 1, before, context.CancellationToken);
        return new()
        {
            Certificates = { rows.Take(size).Select(static row => row.ToProto()) },
            NextPageToken = rows.Count > size ? tokens.Issue(page, rows[size - 1].Id.ToByteArray()) : "",
        };
    }

    /// <inheritdoc/>
    public override async Task<VerifyCertificateResponse> VerifyCertificate(VerifyCertificateRequest request, ServerCallContext context)
    {
        var (result, certificate) = await verifier.VerifyAsync(request.Token, context.CancellationToken);
        return new()
        {
            Result = result, Certificate = certificate is null ? null : (certificate with { Token = "" }).ToProto(),
            CheckTime = Timestamp.FromDateTimeOffset(time.GetUtcNow()),
        };
    }

    /// <inheritdoc/>
    public override async Task<RevokeCertificateResponse> RevokeCertificate(RevokeCertificateRequest request, ServerCallContext context)
    {
        var row = await store.RevokeAsync(SelfOf(context), IdOf(request.Id), context.CancellationToken) ?? throw CertificateErrors.NotFound(request.Id);
        return new() { Certificate = row.ToProto() };
    }

    // Whoever may speak in their own name: the pipeline has seen to it.
    private static string SelfOf(ServerCallContext context) => context.GetCaller().Did!;

    private static Guid IdOf(string id) => Guid.TryParseExact(id, "D", out var guid) ? guid : throw CertificateErrors.NotFound(id);

    private CertificateRow Read(Certificate asked, string issuer)
    {
        var now = DateTimeOffset.FromUnixTimeSeconds(time.GetUtcNow().ToUnixTimeSeconds());
        var end = RequestValues.ToTime(asked.ExpireTime, "certificate.expireTime");
        if (end <= now)
        {
            throw VibeError.InvalidField("certificate.expireTime", "is over", "certificate.expire_time");
        }

        return new CertificateRow
        {
            Id = Guid.CreateVersion7(time.GetUtcNow()),
            Issuer = issuer,
            Subject = Did.IsMatch(asked.Subject) && asked.Subject.Length <= 300 ? asked.Subject
                : throw VibeError.InvalidField("certificate.subject", "is not a DID", "certificate.subject"),
            Type = Type.IsMatch(asked.Type) ? asked.Type
                : throw VibeError.InvalidField("certificate.type", "is not of the form ^[A-Za-z0-9._-]{1,100}$", "certificate.type"),
            Claims = ClaimsOf(asked),
            KeyThumbprint = asked.KeyThumbprint.Length == 0 || Thumbprint.IsMatch(asked.KeyThumbprint) ? asked.KeyThumbprint
                : throw VibeError.InvalidField("certificate.keyThumbprint", "is not a SHA-256 in base64url", "certificate.key_thumbprint"),
            CreateTime = now,
            // Whole seconds: the token says no less.
            ExpireTime = end is { } given ? DateTimeOffset.FromUnixTimeSeconds(given.ToUnixTimeSeconds()) : null,
        };
    }

    private static ReadOnlyMemory<byte> ClaimsOf(Certificate asked)
    {
        var claims = RequestValues.ToJson(asked.Claims, "certificate.claims", ClaimsLimits);
        using var json = System.Text.Json.JsonDocument.Parse(claims);
        return claims.Length > MaxClaimsBytes ? throw VibeError.InvalidField("certificate.claims", "has at most 4 KiB as JSON", "certificate.claims")
            : json.RootElement.TryGetProperty("id", out _) ? throw VibeError.InvalidField("certificate.claims", "has no member `id`: that is the subject", "certificate.claims")
            : claims;
    }

    [GeneratedRegex(@"^did:[a-z0-9]+(:[A-Za-z0-9._%-]+)+\z", RegexOptions.NonBacktracking | RegexOptions.ExplicitCapture)]
    private static partial Regex Did { get; }

    [GeneratedRegex(@"^[A-Za-z0-9._-]{1,100}\z", RegexOptions.NonBacktracking)]
    private static partial Regex Type { get; }

    [GeneratedRegex(@"^[A-Za-z0-9_-]{43}\z", RegexOptions.NonBacktracking)]
    private static partial Regex Thumbprint { get; }
}
