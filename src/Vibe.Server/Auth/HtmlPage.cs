using System.Net.Mime;
using System.Security.Cryptography;
using System.Text;
using System.Text.Encodings.Web;

namespace Vibe.Server.Auth;

/// <summary>
/// The few pages that the server writes by itself: plain HTML that works without scripts, under a policy that lets in nothing
/// from elsewhere.
/// </summary>
internal static class HtmlPage
{
    private const string Style =
        """
        :root{color-scheme:light dark}body{font:1rem/1.5 system-ui,sans-serif;max-width:34rem;margin:12vh auto;padding:0 1.25rem}
        h1{font-size:1.5rem;line-height:1.25}button{font:inherit;padding:.6rem 1.2rem;min-height:2.75rem}
        """;

    private static readonly string StyleSource = SourceOf(Style);

    /// <summary>Writes a page.</summary>
    /// <param name="http">The request.</param>
    /// <param name="status">The status of the answer.</param>
    /// <param name="title">What the page is about: title and first heading.</param>
    /// <param name="body">What follows the heading: HTML, in which every value went through <see cref="Encode"/>.</param>
    /// <param name="formAction">Where its form may go, as Content-Security-Policy writes it; null when it has none.</param>
    /// <param name="script">A script of the page, null for none.</param>
    public static Task WriteAsync(HttpContext http, int status, string title, string body, string? formAction = null, string? script = null)
    {
        var response = http.Response;
        response.StatusCode = status;
        response.ContentType = $"{MediaTypeNames.Text.Html}; charset=utf-8";
        response.Headers.CacheControl = "no-store";
        response.Headers["Referrer-Policy"] = "no-referrer";
        response.Headers.XContentTypeOptions = "nosniff";
        response.Headers.XFrameOptions = "DENY";
        response.Headers.ContentSecurityPolicy =
            $"default-src 'none'; style-src {StyleSource}; script-src {(script is null ? "'none'" : SourceOf(script))}; "
            + $"form-action {formAction ?? "'none'"}; frame-ancestors 'none'; base-uri 'none'";
        return response.WriteAsync(
            $"""
            <!doctype html>
            <html lang="en">
            <head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>{Encode(title)}</title><style>{Style}</style></head>
            <body><main><h1>{Encode(title)}</h1>
            {body}
            </main>{(script is null ? "" : $"<script>{script}</script>")}</body>
            </html>
            """,
            http.RequestAborted);
    }

    /// <summary>Text as HTML, also inside quotes.</summary>
    public static string Encode(string text) => HtmlEncoder.Default.Encode(text);

    // CSP Level 3 section 2.3.1: exactly this text and no other.
    private static string SourceOf(string text) => $"'sha256-{Convert.ToBase64String(SHA256.HashData(Encoding.UTF8.GetBytes(text)))}'";
}
