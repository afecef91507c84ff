using System.Collections.Frozen;
using System.Security.Cryptography;
using System.Text;
using Microsoft.Net.Http.Headers;

namespace Vibe.Server.Auth.Pages;

/// <summary>
/// The pages people see: sign-in, consent, connecting a device, the account. Static files without a build step; what they show
/// comes from the same-origin endpoints under <c>/auth</c> and from the account API. They are served on the issuer's host only:
/// a passkey belongs to one host.
/// </summary>
internal sealed class HostedPages
{
    private const string Folder = "Vibe.Server.Auth.Pages.Assets.";

    // An asset's address changes with any asset: it is kept for a year, and a new server serves new addresses.
    private const string KeptForGood = "public, max-age=31536000, immutable";

    private static readonly FrozenDictionary<string, string> Types = new Dictionary<string, string>(StringComparer.Ordinal)
    {
        [".css"] = "text/css; charset=utf-8",
        [".js"] = "text/javascript; charset=utf-8",
        [".svg"] = "image/svg+xml",
    }.ToFrozenDictionary(StringComparer.Ordinal);

    private readonly FrozenDictionary<string, byte[]> _assets;
    private readonly FrozenDictionary<string, byte[]> _pages;
    private readonly string _assetPath;
    private readonly Uri _issuer;
    private readonly string _policy;

    /// <summary>Reads the files.</summary>
    public HostedPages(AuthOptions options)
    {
        _issuer = new Uri(options.Issuer);
        var files = typeof(HostedPages).Assembly.GetManifestResourceNames()
            .Where(static name => name.StartsWith(Folder, StringComparison.Ordinal))
            .ToDictionary(static name => name[Folder.Length..], Read, StringComparer.Ordinal);
        _assets = files.Where(static file => Types.ContainsKey(Path.GetExtension(file.Key))).ToFrozenDictionary(StringComparer.Ordinal);
        _assetPath = $"/pages/{VersionOf(_assets)}";
        _pages = files.Where(static file => file.Key.EndsWith(".html", StringComparison.Ordinal)).ToFrozenDictionary(
            static file => file.Key,
            file => Encoding.UTF8.GetBytes(Encoding.UTF8.GetString(file.Value).Replace("{{assets}}", _assetPath, StringComparison.Ordinal)),
            StringComparer.Ordinal);

        // Scripts come from this folder of this origin alone: nothing a caller can store is served there.
        _policy = $"default-src 'none'; script-src {options.Issuer}/pages/; style-src {options.Issuer}/pages/; img-src {options.Issuer}/pages/; "
            + "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'";
    }

    /// <summary>Maps the pages and their files.</summary>
    public void Map(IEndpointRouteBuilder endpoints)
    {
        foreach (var path in new[] { "/sign-in", "/sign-up", "/sign-in/mail", "/consent", "/device" })
        {
            endpoints.MapGet(path, context => ShowAsync(context, "flow.html"));
        }

        endpoints.MapGet("/account", context => ShowAsync(context, "account.html"));
        endpoints.MapGet($"{_assetPath}/{{name}}", SendAsync);
    }

    /// <summary>What every answer with HTML of this origin says: shown in no frame, told to no other site, kept by no cache.</summary>
    public static void Protect(HttpResponse response, string policy)
    {
        var headers = response.Headers;
        headers.ContentSecurityPolicy = policy;
        headers.XFrameOptions = "DENY";
        headers.XContentTypeOptions = "nosniff";
        headers.CacheControl = "no-store";
        headers["Referrer-Policy"] = "no-referrer";
        headers["Cross-Origin-Opener-Policy"] = "same-origin";
        headers["Permissions-Policy"] = "camera=(), geolocation=(), microphone=(), payment=(), publickey-credentials-create=(self), publickey-credentials-get=(self)";
    }

    private Task ShowAsync(HttpContext context, string page)
    {
        if (!string.Equals(context.Request.Host.Value, _issuer.Authority, StringComparison.OrdinalIgnoreCase))
        {
            context.Response.Redirect($"{_issuer.GetLeftPart(UriPartial.Authority)}{context.Request.Path}{context.Request.QueryString}");
            return Task.CompletedTask;
        }

        Protect(context.Response, _policy);
        if (context.Request.Query.ContainsKey("request"))
        {
            // What an app has opened a window for: the app notices when the person closes it. It may also send the window elsewhere,
            // where the address bar shows it; this page's content stays out of its reach.
            context.Response.Headers["Cross-Origin-Opener-Policy"] = "unsafe-none";
        }

        context.Response.ContentType = "text/html; charset=utf-8";
        return context.Response.Body.WriteAsync(_pages[page], context.RequestAborted).AsTask();
    }

    private Task SendAsync(HttpContext context)
    {
        var name = (string)context.Request.RouteValues["name"]!;
        if (!_assets.TryGetValue(name, out var content))
        {
            context.Response.StatusCode = StatusCodes.Status404NotFound;
            return Task.CompletedTask;
        }

        context.Response.ContentType = Types[Path.GetExtension(name)];
        context.Response.Headers[HeaderNames.CacheControl] = KeptForGood;
        context.Response.Headers.XContentTypeOptions = "nosniff";
        return context.Response.Body.WriteAsync(content, context.RequestAborted).AsTask();
    }

    private static string VersionOf(IReadOnlyDictionary<string, byte[]> assets)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        foreach (var (name, content) in assets.OrderBy(static asset => asset.Key, StringComparer.Ordinal))
        {
            hash.AppendData(Encoding.UTF8.GetBytes(name));
            hash.AppendData(content);
        }

        return Convert.ToHexStringLower(hash.GetHashAndReset().AsSpan(0, 8));
    }

    private static byte[] Read(string resource)
    {
        using var stream = typeof(HostedPages).Assembly.GetManifestResourceStream(resource)!;
        var content = new byte[stream.Length];
        stream.ReadExactly(content);
        return content;
    }
}
