using System.Text.Json;
using System.Text.Json.Serialization;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;

namespace Vibe.Client;

/// <summary>How a client reaches its server and who it calls as. Read once, when the client is made.</summary>
public sealed class VibeOptions
{
    /// <summary>The server's URL, for example <c>https://vibe.example</c>. Required.</summary>
    public string Url { get; set; } = "";

    /// <summary>The app's DID, which is its OAuth client id. Needed for signing in, and for an app that acts as itself.</summary>
    public string? App { get; set; }

    /// <summary>
    /// Who calls. Null: whoever signs in with <see cref="VibeClient.SignInWithBrowserAsync"/> or
    /// <see cref="VibeClient.SignInWithDeviceAsync"/>, and a signed-out visitor until then.
    /// </summary>
    public VibeCredentials? Credentials { get; set; }

    /// <summary>Binds the tokens this client asks for to a key that it makes (RFC 9449), so that a stolen token is worth nothing. On by default.</summary>
    public bool UseDpop { get; set; } = true;

    /// <summary>Where a person's session is kept between runs. Default: in memory.</summary>
    public ISessionStore SessionStore { get; set; } = new MemorySessionStore();

    /// <summary>The deadline of a call that sets none, all its attempts together. Default 30 seconds.</summary>
    public TimeSpan Timeout { get; set; } = TimeSpan.FromSeconds(30);

    /// <summary>How often a call that is safe to repeat is sent at most. Default 5.</summary>
    public int Attempts { get; set; } = 5;

    /// <summary>Silence after which a stream counts as dead. The server speaks at least every 15 seconds. Default 45 seconds.</summary>
    public TimeSpan Silence { get; set; } = TimeSpan.FromSeconds(45);

    /// <summary>The longest pause between two attempts. Default 30 seconds.</summary>
    public TimeSpan LongestPause { get; set; } = TimeSpan.FromSeconds(30);

    /// <summary>
    /// How the bodies of documents become objects. Default: the web's conventions, camelCase names among them, and nulls left out of new
    /// documents.
    /// </summary>
    public JsonSerializerOptions Json { get; set; } =
        new(JsonSerializerDefaults.Web) { DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull };

    /// <summary>Takes the log. Default: nobody does.</summary>
    public ILoggerFactory LoggerFactory { get; set; } = NullLoggerFactory.Instance;

    /// <summary>The clock. Default: the system's.</summary>
    public TimeProvider TimeProvider { get; set; } = TimeProvider.System;

    /// <summary>Sends the requests, in HTTP/2. Default: one made for it. It is not disposed.</summary>
    public HttpMessageHandler? HttpHandler { get; set; }

    internal static VibeOptions Checked(VibeOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        if (!Uri.TryCreate(options.Url, UriKind.Absolute, out var url) || url.Scheme is not ("http" or "https"))
        {
            throw new ArgumentException($"VibeOptions.Url is no http or https URL: \"{options.Url}\".", nameof(options));
        }

        if (url.AbsolutePath != "/" || url.Query.Length > 0)
        {
            throw new ArgumentException($"VibeOptions.Url has a path: \"{options.Url}\".", nameof(options));
        }

        return options.Credentials is { NeedsApp: true } && string.IsNullOrEmpty(options.App)
            ? throw new ArgumentException("An app that acts as itself needs VibeOptions.App, its DID.", nameof(options))
            : options;
    }
}
