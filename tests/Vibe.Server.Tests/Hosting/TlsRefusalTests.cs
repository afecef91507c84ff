using System.Security.Cryptography;
using Vibe.Server.Hosting;

namespace Vibe.Server.Tests.Hosting;

/// <summary>What is wrong with the files of a certificate is said in one sentence that names the file.</summary>
public sealed class TlsRefusalTests : IDisposable
{
    private readonly PemFiles _files = new();

    public TlsRefusalTests() => _files.Write("good");

    public void Dispose() => _files.Delete();

    [Fact]
    public async Task Good_files_are_taken() =>
        Assert.NotNull(await TlsCertificate.OpenAsync(_files.Options, TimeProvider.System, CancellationToken.None));

    [Fact]
    public async Task A_missing_file()
    {
        File.Delete(_files.Options.KeyFile);
        Assert.Equal($"There is no file {_files.Options.KeyFile}, which TLS needs.", await RefusalAsync());
    }

    [Fact]
    public async Task A_file_that_cannot_be_read()
    {
        File.Delete(_files.Options.CertificateFile);
        Directory.CreateDirectory(_files.Options.CertificateFile);
        Assert.StartsWith($"{_files.Options.CertificateFile} cannot be read", await RefusalAsync(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task No_certificate_in_the_file()
    {
        _files.Write("hello", File.ReadAllText(_files.Options.KeyFile));
        Assert.Equal($"{_files.Options.CertificateFile} has no certificate in PEM form.", await RefusalAsync());
    }

    [Fact]
    public async Task A_damaged_certificate()
    {
        _files.Write("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----", File.ReadAllText(_files.Options.KeyFile));
        Assert.Equal($"A certificate in {_files.Options.CertificateFile} is damaged.", await RefusalAsync());
    }

    [Fact]
    public async Task No_key_in_the_file()
    {
        _files.Write(File.ReadAllText(_files.Options.CertificateFile), "hello");
        Assert.Equal($"{_files.Options.KeyFile} has no private key in PEM form.", await RefusalAsync());
    }

    [Fact]
    public async Task A_key_with_a_passphrase()
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var encrypted = key.ExportEncryptedPkcs8PrivateKeyPem("secret", new PbeParameters(PbeEncryptionAlgorithm.Aes256Cbc, HashAlgorithmName.SHA256, 1000));
        _files.Write(File.ReadAllText(_files.Options.CertificateFile), encrypted);
        Assert.Contains("has a passphrase", await RefusalAsync(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_key_of_another_certificate()
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        _files.Write(File.ReadAllText(_files.Options.CertificateFile), key.ExportPkcs8PrivateKeyPem());
        Assert.Equal(
            $"The private key in {_files.Options.KeyFile} does not belong to the certificate in {_files.Options.CertificateFile}.", await RefusalAsync());
    }

    [Fact]
    public async Task A_key_of_another_kind()
    {
        using var key = RSA.Create(2048);
        _files.Write(File.ReadAllText(_files.Options.CertificateFile), key.ExportRSAPrivateKeyPem());
        Assert.Contains("does not belong to the certificate", await RefusalAsync(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_expired_certificate()
    {
        _files.Write("old", validFrom: TimeSpan.FromDays(-20), validTo: TimeSpan.FromDays(-2));
        var day = TimeProvider.System.GetUtcNow().AddDays(-2).ToString("yyyy-MM-dd", System.Globalization.CultureInfo.InvariantCulture);
        Assert.Equal($"The certificate in {_files.Options.CertificateFile} expired on {day}: renew it.", await RefusalAsync());
    }

    [Fact]
    public async Task A_certificate_of_tomorrow()
    {
        _files.Write("new", validFrom: TimeSpan.FromDays(1), validTo: TimeSpan.FromDays(2));
        Assert.EndsWith("on, not yet.", await RefusalAsync(), StringComparison.Ordinal);
    }

    private async Task<string> RefusalAsync() => (await Assert.ThrowsAsync<Refusal>(
        () => TlsCertificate.OpenAsync(_files.Options, TimeProvider.System, CancellationToken.None))).Message;
}
