using System.Net;
using System.Security.Cryptography;
using System.Text;

namespace Vibe.Rpc.OpenApi;

/// <summary>The browsable reference: one HTML document without external sources, and the policy that keeps it so.</summary>
internal sealed class ApiReferencePage
{
    private ApiReferencePage(byte[] html, string contentSecurityPolicy)
    {
        Html = html;
        ContentSecurityPolicy = contentSecurityPolicy;
    }

    public byte[] Html { get; }

    public string ContentSecurityPolicy { get; }

    /// <summary>Puts the page together.</summary>
    /// <param name="documentPath">Where the OpenAPI document is served.</param>
    public static ApiReferencePage Create(string documentPath)
    {
        var style = Read("page.css");
        var script = Read("page.js");
        var html = Read("page.html")
            .Replace("{{document}}", WebUtility.HtmlEncode(documentPath), StringComparison.Ordinal)
            .Replace("{{style}}", style, StringComparison.Ordinal)
            .Replace("{{script}}", script, StringComparison.Ordinal);

        // The hashes allow exactly these two texts; a call can go to this server only.
        var policy = $"default-src 'none'; script-src '{Hash(script)}'; style-src '{Hash(style)}'; connect-src 'self'; img-src data:; "
            + "base-uri 'none'; form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'";
        return new(Encoding.UTF8.GetBytes(html), policy);
    }

    private static string Hash(string text) => "sha256-" + Convert.ToBase64String(SHA256.HashData(Encoding.UTF8.GetBytes(text)));

    private static string Read(string name)
    {
        using var stream = typeof(ApiReferencePage).Assembly.GetManifestResourceStream($"Vibe.Rpc.OpenApi.Page.{name}")
            ?? throw new InvalidOperationException($"The resource {name} is missing.");
        using var reader = new StreamReader(stream, Encoding.UTF8);

        // Browsers hash the text after they have normalized its line ends.
        return reader.ReadToEnd().ReplaceLineEndings("\n");
    }
}
