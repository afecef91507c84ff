using System.Buffers.Text;
using System.Globalization;
using System.Text.Json;
using Vibe.Server.Auth.Tokens;

namespace Vibe.Server.Auth.OAuth;

/// <summary>Reads and checks requests for authorization: the same way whether they come by the browser or were pushed.</summary>
internal sealed class AuthorizationParameters(SigningKeys keys, AuthOptions options)
{
    private const int MaxStateLength = 2048;
    private static readonly string[] Prompts = ["none", "login", "consent", "select_account"];

    /// <summary>Checks a request of a known app.</summary>
    /// <exception cref="OAuthError">The address to answer to is not the app's: nothing may be sent there.</exception>
    /// <exception cref="RedirectError">Anything else is wrong.</exception>
    public AuthorizationRequest Read(Client client, Parameters parameters, bool isPushed)
    {
        var redirectUri = parameters.Require("redirect_uri");
        if (!RedirectUris.IsRegistered(client, redirectUri))
        {
            throw OAuthError.InvalidRequest("The app has not registered this redirect_uri.");
        }

        var mode = parameters["response_mode"] is "form_post" ? "form_post" : "query";
        try
        {
            return Read(client, parameters, redirectUri, mode, isPushed);
        }
        catch (OAuthError error)
        {
            var state = parameters["state"];
            throw new RedirectError(error, redirectUri, mode, state?.Length > MaxStateLength ? null : state);
        }
    }

    /// <summary>Checks what an app asks through the browser's dialog: the browser has checked the origin, and takes the answer.</summary>
    /// <exception cref="OAuthError">Something is wrong.</exception>
    public AuthorizationRequest ReadForBrowser(Client client, Parameters parameters) =>
        Read(client, parameters, redirectUri: null, AuthorizationResponse.FedCm, isPushed: false);

    private AuthorizationRequest Read(Client client, Parameters parameters, string? redirectUri, string mode, bool isPushed)
    {
        if (client.IsDisabled)
        {
            throw OAuthError.UnauthorizedClient("The app has been stopped.");
        }

        if (client.Manifest.RequirePushedAuthorizationRequests && !isPushed)
        {
            throw OAuthError.InvalidRequest("The app's manifest wants requests to be pushed beforehand (RFC 9126).");
        }

        RefuseUnsupported(parameters);
        CheckClaims(parameters);
        if (parameters.Require("response_type") != "code")
        {
            throw new OAuthError("unsupported_response_type", "The only response_type is code.");
        }

        if (parameters["response_mode"] is not (null or "query" or "form_post"))
        {
            throw OAuthError.InvalidRequest("response_mode is query or form_post.");
        }

        var prompt = ScopeNames.Parse(parameters["prompt"]) ?? [];
        if (prompt.Except(Prompts).Any() || (prompt.Contains("none") && prompt.Count > 1))
        {
            throw OAuthError.InvalidRequest("prompt is none, or any of login, consent, select_account.");
        }

        return new AuthorizationRequest
        {
            Client = client.Did,
            RedirectUri = redirectUri,
            ResponseMode = mode,
            State = Short(parameters, "state"),
            CodeChallenge = ChallengeOf(parameters),
            Scopes = ScopeNames.Check(client, ScopeNames.Parse(parameters["scope"])) is { Count: > 0 } scopes
                ? scopes
                : throw OAuthError.InvalidScope("The request asks for nothing: name scopes."),
            Nonce = Short(parameters, "nonce"),
            Prompt = prompt,
            MaxAge = MaxAgeOf(parameters),
            LoginHint = Short(parameters, "login_hint"),
            ExpectedDid = ExpectedDidOf(client, parameters),
            UiLocales = Short(parameters, "ui_locales"),
            KeyThumbprint = parameters["dpop_jkt"] is not { } thumbprint || (thumbprint.Length == 43 && IsBase64Url(thumbprint))
                ? parameters["dpop_jkt"]
                : throw OAuthError.InvalidRequest("dpop_jkt is no thumbprint of a key."),
        };
    }

    private static void RefuseUnsupported(Parameters parameters)
    {
        if (parameters["request"] is not null)
        {
            throw new OAuthError("request_not_supported", "Request objects are not supported: push the request (RFC 9126).");
        }

        if (parameters["request_uri"] is not null)
        {
            throw new OAuthError("request_uri_not_supported", "Requests are not fetched: push the request (RFC 9126).");
        }

        if (parameters["registration"] is not null)
        {
            throw new OAuthError("registration_not_supported", "Apps are registered beforehand.");
        }
    }

    // Always, and never `plain`: who sees the request must not be able to redeem the code (RFC 9700 section 2.1.1).
    private static string ChallengeOf(Parameters parameters)
    {
        if (parameters["code_challenge"] is not { } challenge)
        {
            throw OAuthError.InvalidRequest("code_challenge is missing: every app uses PKCE (RFC 7636).");
        }

        return parameters["code_challenge_method"] == "S256" && challenge.Length == 43 && IsBase64Url(challenge)
            ? challenge
            : throw OAuthError.InvalidRequest("code_challenge must be 43 characters of base64url, and code_challenge_method S256.");
    }

    private static long? MaxAgeOf(Parameters parameters) => parameters["max_age"] is not { } text ? null
        : long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var seconds) && seconds <= int.MaxValue ? seconds
        : throw OAuthError.InvalidRequest("max_age is a number of seconds.");

    // What an app learns of a person is what they let it, by scope; asking for single claims (OpenID Connect Core section 5.5)
    // adds nothing, and what is not there may be left out.
    private static void CheckClaims(Parameters parameters)
    {
        if (parameters["claims"] is not { } claims)
        {
            return;
        }

        try
        {
            using var document = JsonDocument.Parse(claims, new JsonDocumentOptions { MaxDepth = 8, AllowDuplicateProperties = false });
            if (document.RootElement.ValueKind == JsonValueKind.Object)
            {
                return;
            }
        }
        catch (JsonException)
        {
            // Said below.
        }

        throw OAuthError.InvalidRequest("claims is no JSON object.");
    }

    // An ID token that has expired still says whom the app means.
    private string? ExpectedDidOf(Client client, Parameters parameters) => parameters["id_token_hint"] is not { } hint ? null
        : IdTokenHint.Read(hint, keys, options) is { } token && token.Client == client.Did ? token.Did
        : throw OAuthError.InvalidRequest("id_token_hint is no ID token of this server for this app.");

    private static string? Short(Parameters parameters, string name) => parameters[name] is { Length: > MaxStateLength }
        ? throw OAuthError.InvalidRequest($"{name} is too long: at most {MaxStateLength} characters.")
        : parameters[name];

    private static bool IsBase64Url(string text) => Base64Url.IsValid(text);
}
