namespace Vibe.Server.Hosting;

/// <summary>How to serve.</summary>
internal sealed record ServeOptions
{
    /// <summary>The plaintext port.</summary>
    public required int Port { get; init; }

    /// <summary>The address to listen on; null for 127.0.0.1 and [::1].</summary>
    public string? Address { get; init; }

    /// <summary>The TLS port beside it; null for none.</summary>
    public TlsOptions? Tls { get; init; }

    /// <summary>Where the embedded database lives.</summary>
    public required string DataDirectory { get; init; }

    /// <summary>Whether to fill in the demo.</summary>
    public bool Demo { get; init; }

    /// <summary>A JSON array for the demo's collection of cities; null for none.</summary>
    public string? DemoCities { get; init; }

    /// <summary>
    /// The URL people and tokens know this server by: <c>VIBE_PUBLIC_URL</c>, else the development name with the port.
    /// <c>vibe.localhost</c> and not 127.0.0.1, because passkeys refuse a bare address.
    /// </summary>
    public string PublicUrl => Environment.GetEnvironmentVariable("VIBE_PUBLIC_URL") is { Length: > 0 } url
        ? url.TrimEnd('/')
        : $"http://vibe.localhost:{Port}";
}
