using System.Globalization;
using System.Text;
using Grpc.Core;
using Vibe.Client.Calls;

namespace Vibe.Client.Auth;

/// <summary>The two ways in which a person signs in to a native app.</summary>
internal static class SignIn
{
    private static readonly TimeSpan UsualInterval = TimeSpan.FromSeconds(5);

    /// <summary>Authorization code with PKCE, in the browser of this device, back over a loopback address (RFC 8252).</summary>
    public static async Task<VibeSession> WithBrowserAsync(
        Connection connection, UserTokens tokens, BrowserSignInOptions options, CancellationToken cancellationToken)
    {
        var discovery = await connection.Provider.DiscoverAsync(cancellationToken).ConfigureAwait(false);
        using var listener = new LoopbackListener(options.RedirectPath, options.DonePage);
        var (state, nonce, verifier) = (JwtWriter.NewSecret(), JwtWriter.NewSecret(), JwtWriter.NewSecret());
        var app = connection.Options.App!;
        var address = AddressOf(discovery.AuthorizationEndpoint,
        [
            new("response_type", "code"), new("client_id", app), new("redirect_uri", listener.RedirectUri), new("scope", ScopeOf(options.Scope)),
            new("state", state), new("nonce", nonce), new("code_challenge", JwtWriter.HashOf(verifier)), new("code_challenge_method", "S256"),
        ]);
        var answer = await ReceiveAsync(listener, state, () => options.OpenBrowser(address, cancellationToken), cancellationToken).ConfigureAwait(false);
        if (answer.GetValueOrDefault("iss") != discovery.Issuer)
        {
            throw new VibeException(StatusCode.Unauthenticated, "SIGN_IN_FAILED", "The answer is from another provider (RFC 9207).");
        }

        if (answer.GetValueOrDefault("error") is { } error)
        {
            throw OAuthProvider.ErrorOf(error, answer.GetValueOrDefault("error_description") ?? error);
        }

        var key = connection.Options.UseDpop ? new DpopKey() : null;
        var issued = await connection.Provider.PostAsync(
            discovery.TokenEndpoint,
            [
                new("grant_type", "authorization_code"), new("client_id", app), new("code", answer.GetValueOrDefault("code") ?? ""),
                new("redirect_uri", listener.RedirectUri), new("code_verifier", verifier),
            ],
            key, cancellationToken).ConfigureAwait(false);
        return await tokens.SignInAsync(TokenAnswer.Read(issued), key, nonce).ConfigureAwait(false);
    }

    // Listens before the browser is opened: whoever opens it may wait until it has come back.
    private static async Task<IReadOnlyDictionary<string, string>> ReceiveAsync(
        LoopbackListener listener, string state, Func<Task> openBrowser, CancellationToken cancellationToken)
    {
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);

        // Another program of this device may call the address too: what does not carry our state is not ours.
        var answer = listener.ReceiveAsync(query => query.GetValueOrDefault("state") == state, stop.Token);
        try
        {
            await openBrowser().ConfigureAwait(false);
        }
        catch
        {
            await stop.CancelAsync().ConfigureAwait(false);
            await ((Task)answer).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            throw;
        }

        return await answer.ConfigureAwait(false);
    }

    /// <summary>A code that is typed on another device (RFC 8628).</summary>
    public static async Task<VibeSession> WithDeviceAsync(
        Connection connection, UserTokens tokens, Func<DevicePrompt, CancellationToken, Task> show, string scope, CancellationToken cancellationToken)
    {
        var discovery = await connection.Provider.DiscoverAsync(cancellationToken).ConfigureAwait(false);
        var app = connection.Options.App!;
        var started = await connection.Provider.PostAsync(
            discovery.DeviceAuthorizationEndpoint, [new("client_id", app), new("scope", ScopeOf(scope))], key: null, cancellationToken).ConfigureAwait(false);
        var deviceCode = (string)started["device_code"]!;
        var interval = started["interval"] is { } given ? TimeSpan.FromSeconds((double)given) : UsualInterval;
        var life = TimeSpan.FromSeconds((double)started["expires_in"]!);
        await show(new DevicePrompt(new Uri((string)started["verification_uri"]!), (string)started["user_code"]!, life), cancellationToken).ConfigureAwait(false);

        var key = connection.Options.UseDpop ? new DpopKey() : null;
        while (true)
        {
            await Task.Delay(interval, connection.Time, cancellationToken).ConfigureAwait(false);
            try
            {
                var issued = await connection.Provider.PostAsync(
                    discovery.TokenEndpoint,
                    [new("grant_type", "urn:ietf:params:oauth:grant-type:device_code"), new("client_id", app), new("device_code", deviceCode)],
                    key, cancellationToken).ConfigureAwait(false);
                return await tokens.SignInAsync(TokenAnswer.Read(issued), key, nonce: null).ConfigureAwait(false);
            }
            catch (VibeException exception) when (exception.Metadata.GetValueOrDefault("error") == "authorization_pending")
            {
                // Nobody has typed the code yet.
            }
            catch (VibeException exception) when (exception.Metadata.GetValueOrDefault("error") == "slow_down" || exception.Reason == VibeException.Unreachable)
            {
                interval += UsualInterval;
            }
        }
    }

    private static string ScopeOf(string asked) => string.Join(' ', $"openid profile offline_access {asked}"
        .Split(' ', StringSplitOptions.RemoveEmptyEntries).Distinct(StringComparer.Ordinal));

    private static Uri AddressOf(string endpoint, KeyValuePair<string, string>[] parameters)
    {
        var address = new StringBuilder(endpoint);
        foreach (var (name, value) in parameters)
        {
            address.Append(CultureInfo.InvariantCulture, $"{(address.Length == endpoint.Length ? '?' : '&')}{name}={Uri.EscapeDataString(value)}");
        }

        return new Uri(address.ToString());
    }
}
