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
}
