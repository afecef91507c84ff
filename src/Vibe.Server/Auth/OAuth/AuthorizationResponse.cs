using System.Text;
using Microsoft.AspNetCore.WebUtilities;

namespace Vibe.Server.Auth.OAuth;

/// <summary>Sends a browser back to the app with an answer, which names who gives it (RFC 9207).</summary>
internal static class AuthorizationResponse
{
    /// <summary>The response mode of a page that the browser has opened from its own dialog: it takes the code, or is closed.</summary>
    public const string FedCm = "fedcm";

    private const string Submit = "document.forms[0].submit()";
    private const string Resolve = "IdentityProvider.resolve(document.querySelector('data').value)";
    private const string Close = "IdentityProvider.close()";

    /// <summary>Answers with a code.</summary>
    public static Task WriteCodeAsync(HttpContext http, AuthorizationRequest request, string code) =>
        WriteAsync(http, request.RedirectUri, request.ResponseMode, request.State, [new("code", code)]);

    /// <summary>Answers with a failure.</summary>
    public static Task WriteErrorAsync(HttpContext http, AuthorizationRequest request, OAuthError error) =>
        WriteErrorAsync(http, new RedirectError(error, request.RedirectUri, request.ResponseMode, request.State));

    /// <summary>Answers with a failure.</summary>
    public static Task WriteErrorAsync(HttpContext http, RedirectError failure) => WriteAsync(
        http, failure.RedirectUri, failure.ResponseMode, failure.State,
        [new("error", failure.Error.Code), new("error_description", failure.Error.Message)]);

    /// <summary>The origin of an address as Content-Security-Policy names it; for an app's own scheme, the scheme.</summary>
    public static string SourceOf(string redirectUri) =>
        new Uri(redirectUri) is { Scheme: "http" or "https" } uri ? uri.GetLeftPart(UriPartial.Authority) : $"{new Uri(redirectUri).Scheme}:";

    private static Task WriteAsync(
        HttpContext http, string? redirectUri, string mode, string? state, List<KeyValuePair<string, string?>> values)
    {
        if (redirectUri is null)
        {
            var code = values.FirstOrDefault(static value => value.Key == "code").Value;
            return HtmlPage.WriteAsync(
                http, StatusCodes.Status200OK, "Going back to the app", code is null ? "" : $"<data value=\"{HtmlPage.Encode(code)}\"></data>",
                script: code is null ? Close : Resolve);
        }

        if (state is not null)
        {
            values.Add(new("state", state));
        }

        values.Add(new("iss", http.RequestServices.GetRequiredService<AuthOptions>().Issuer));
        if (mode == "form_post")
        {
            var fields = new StringBuilder();
            foreach (var (name, value) in values)
            {
                fields.Append($"<input type=\"hidden\" name=\"{HtmlPage.Encode(name)}\" value=\"{HtmlPage.Encode(value!)}\">");
            }

            return HtmlPage.WriteAsync(
                http, StatusCodes.Status200OK, "Going back to the app",
                $"<form method=\"post\" action=\"{HtmlPage.Encode(redirectUri)}\">{fields}<button>Continue</button></form>",
                SourceOf(redirectUri), Submit);
        }

        OAuthAnswers.Protect(http);

        // 303: whatever the method was, the app gets a GET and no body that held a person's words (RFC 9700 section 4.12).
        http.Response.StatusCode = StatusCodes.Status303SeeOther;
        http.Response.Headers.Location = QueryHelpers.AddQueryString(redirectUri, values);
        return Task.CompletedTask;
    }
}
