namespace Vibe.Server.Hosting;

/// <summary>The TLS port and the PEM files of its certificate.</summary>
internal sealed record TlsOptions
{
    /// <summary>The port, on the same addresses as the plaintext one.</summary>
    public required int Port { get; init; }

    /// <summary>The file with the certificate, followed by those that lead from it to the root.</summary>
    public required string CertificateFile { get; init; }

    /// <summary>The file with the certificate's private key, without a passphrase.</summary>
    public required string KeyFile { get; init; }

    /// <summary>The setting with <see cref="CertificateFile"/>.</summary>
    public const string CertificateVariable = "VIBE_TLS_CERTIFICATE";

    /// <summary>The setting with <see cref="KeyFile"/>.</summary>
    public const string KeyVariable = "VIBE_TLS_KEY";

    /// <summary>The files that the environment names, for no port; null when it names none.</summary>
    public static TlsOptions? FromEnvironment() =>
        (Environment.GetEnvironmentVariable(CertificateVariable), Environment.GetEnvironmentVariable(KeyVariable)) is ({ Length: > 0 } certificate, { Length: > 0 } key)
            ? new TlsOptions { Port = 0, CertificateFile = certificate, KeyFile = key }
            : null;
}
