using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Vibe.Server.Hosting;

namespace Vibe.Server.Tests.Hosting;

/// <summary>A certificate and its key as files in a folder of their own.</summary>
internal sealed class PemFiles
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("vibe-tls-");

    public TlsOptions Options => new()
    {
        Port = 1, CertificateFile = Path.Combine(_folder.FullName, "tls.crt"), KeyFile = Path.Combine(_folder.FullName, "tls.key"),
    };

    public void Delete() => _folder.Delete(recursive: true);

    /// <summary>Writes a self-signed certificate.</summary>
    public void Write(string name, TimeSpan? validFrom = null, TimeSpan? validTo = null)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var now = TimeProvider.System.GetUtcNow();
        using var certificate = new CertificateRequest($"CN={name}", key, HashAlgorithmName.SHA256)
            .CreateSelfSigned(now + (validFrom ?? TimeSpan.FromDays(-1)), now + (validTo ?? TimeSpan.FromDays(1)));
        Write(certificate.ExportCertificatePem(), key.ExportPkcs8PrivateKeyPem());
    }

    /// <summary>Writes a certificate and, after it, the intermediate one that issued it; the root stays away, as it should.</summary>
    public void WriteIssued(string name, string issuer)
    {
        var now = TimeProvider.System.GetUtcNow();
        using var issuerKey = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var issuerRequest = new CertificateRequest($"CN={issuer}", issuerKey, HashAlgorithmName.SHA256);
        issuerRequest.CertificateExtensions.Add(new X509BasicConstraintsExtension(true, false, 0, true));
        using var rootKey = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        using var issuing = issuerRequest.Create(
            new X500DistinguishedName("CN=root"), X509SignatureGenerator.CreateForECDsa(rootKey), now.AddDays(-2), now.AddDays(2), [1]);
        using var key = RSA.Create(2048);
        using var certificate = new CertificateRequest($"CN={name}", key, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1)
            .Create(issuing.SubjectName, X509SignatureGenerator.CreateForECDsa(issuerKey), now.AddDays(-1), now.AddDays(1), [1, 2, 3]);
        Write($"{certificate.ExportCertificatePem()}\n{issuing.ExportCertificatePem()}", key.ExportRSAPrivateKeyPem());
    }

    public void Write(string certificate, string key)
    {
        File.WriteAllText(Options.CertificateFile, certificate);
        File.WriteAllText(Options.KeyFile, key);
    }
}

/// <summary>The system's date, and a stopwatch that moves only when told.</summary>
internal sealed class SteppedClock : TimeProvider
{
    private long _timestamp;

    public override long TimestampFrequency => TimeSpan.TicksPerSecond;

    public override long GetTimestamp() => Volatile.Read(ref _timestamp);

    public void Step(TimeSpan time) => Interlocked.Add(ref _timestamp, time.Ticks);
}
