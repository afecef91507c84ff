using System.Net.Security;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace Vibe.Server.Hosting;

/// <summary>
/// The certificate of the TLS port. Its files are read again when they change, so that a renewal needs no restart; new files
/// that cannot be used leave the certificate as it is. Thread-safe.
/// </summary>
internal sealed class TlsCertificate
{
    /// <summary>How long the files count as read. A handshake after that looks at them first: soon enough for a renewal, and no read for each of a flood.</summary>
    public static readonly TimeSpan FreshFor = TimeSpan.FromSeconds(1);

    private readonly TlsOptions _options;
    private readonly TimeProvider _time;
    private Pem _pem;
    private SslStreamCertificateContext _context;
    private string? _complaint;
    private long _readAt;

    private TlsCertificate(TlsOptions options, TimeProvider time, Pem pem)
    {
        _options = options;
        _time = time;
        _pem = pem;
        _context = Load(options, pem, time.GetUtcNow());
        _readAt = time.GetTimestamp();
    }

    /// <summary>Reads the files.</summary>
    /// <exception cref="Refusal">They are missing, unreadable, no PEM, do not belong together, or the certificate is not valid now.</exception>
    public static async Task<TlsCertificate> OpenAsync(TlsOptions options, TimeProvider time, CancellationToken cancellationToken) =>
        new(options, time, await ReadAsync(options, cancellationToken));

    /// <summary>The certificate and its chain, as the files are now.</summary>
    public async ValueTask<SslStreamCertificateContext> GetAsync(ILogger log, CancellationToken cancellationToken)
    {
        // One handshake looks; the others that come meanwhile take what is there.
        var readAt = Volatile.Read(ref _readAt);
        if (_time.GetElapsedTime(readAt) >= FreshFor && Interlocked.CompareExchange(ref _readAt, _time.GetTimestamp(), readAt) == readAt)
        {
            await RenewAsync(log, cancellationToken);
        }

        return Volatile.Read(ref _context);
    }

    /// <summary>When the certificate ends.</summary>
    public DateTimeOffset ExpireTime => new(Volatile.Read(ref _context).TargetCertificate.NotAfter);

    private async Task RenewAsync(ILogger log, CancellationToken cancellationToken)
    {
        try
        {
            var pem = await ReadAsync(_options, cancellationToken);
            if (pem != _pem)
            {
                Volatile.Write(ref _context, Load(_options, pem, _time.GetUtcNow()));
                _pem = pem;
                TlsLog.Renewed(log, _options.CertificateFile, _context.TargetCertificate.NotAfter);
            }

            _complaint = null;
        }
        catch (Refusal refusal)
        {
            // Also in the middle of a renewal, when one file is new and the other is not: the next look finds both.
            if (refusal.Message != _complaint)
            {
                _complaint = refusal.Message;
                TlsLog.NotRenewed(log, refusal.Message);
            }
        }
    }

    private static async Task<Pem> ReadAsync(TlsOptions options, CancellationToken cancellationToken) =>
        new(await ReadAsync(options.CertificateFile, cancellationToken), await ReadAsync(options.KeyFile, cancellationToken));

    private static async Task<string> ReadAsync(string file, CancellationToken cancellationToken)
    {
        try
        {
            return await File.ReadAllTextAsync(file, cancellationToken);
        }
        catch (Exception exception) when (exception is FileNotFoundException or DirectoryNotFoundException)
        {
            throw new Refusal($"There is no file {file}, which TLS needs.");
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            throw new Refusal($"{file} cannot be read, which TLS needs: it must be a file that the server's user may read.");
        }
    }

    private static SslStreamCertificateContext Load(TlsOptions options, Pem pem, DateTimeOffset now)
    {
        var chain = new X509Certificate2Collection();
        try
        {
            chain.ImportFromPem(pem.Certificate);
        }
        catch (CryptographicException)
        {
            throw new Refusal($"A certificate in {options.CertificateFile} is damaged.");
        }

        if (chain.Count == 0)
        {
            throw new Refusal($"{options.CertificateFile} has no certificate in PEM form.");
        }

        RefuseUnlessValid(chain[0], options.CertificateFile, now);
        return SslStreamCertificateContext.Create(WithKey(options, pem), chain, offline: true);
    }

    private static void RefuseUnlessValid(X509Certificate2 certificate, string file, DateTimeOffset now)
    {
        if (certificate.NotAfter < now.LocalDateTime)
        {
            throw new Refusal($"The certificate in {file} expired on {certificate.NotAfter.ToUniversalTime():yyyy-MM-dd}: renew it.");
        }

        if (certificate.NotBefore > now.LocalDateTime)
        {
            throw new Refusal($"The certificate in {file} is valid from {certificate.NotBefore.ToUniversalTime():yyyy-MM-dd} on, not yet.");
        }
    }

    private static X509Certificate2 WithKey(TlsOptions options, Pem pem)
    {
        if (!pem.Key.Contains("PRIVATE KEY-----", StringComparison.Ordinal))
        {
            throw new Refusal($"{options.KeyFile} has no private key in PEM form.");
        }

        if (pem.Key.Contains("ENCRYPTED", StringComparison.Ordinal))
        {
            throw new Refusal($"The private key in {options.KeyFile} has a passphrase: write it without one, readable for the server's user alone.");
        }

        try
        {
            return X509Certificate2.CreateFromPem(pem.Certificate, pem.Key);
        }
        catch (Exception exception) when (exception is CryptographicException or ArgumentException)
        {
            throw new Refusal($"The private key in {options.KeyFile} does not belong to the certificate in {options.CertificateFile}.");
        }
    }

    private sealed record Pem(string Certificate, string Key);
}
