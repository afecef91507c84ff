using System.Diagnostics;

namespace Vibe.Client;

/// <summary>How somebody signs in with the browser of this device (RFC 8252).</summary>
public sealed class BrowserSignInOptions
{
    /// <summary>What the app asks for besides who the person is: names of its manifest's scopes, separated by spaces.</summary>
    public string Scope { get; set; } = "";

    /// <summary>
    /// The path of the address that the browser comes back to, <c>http://127.0.0.1:&lt;a free port&gt;/callback</c>. The manifest of an app of
    /// type NATIVE names it without the port.
    /// </summary>
    public string RedirectPath { get; set; } = "/callback";

    /// <summary>Shows the provider's page. Default: the browser of the desktop.</summary>
    public Func<Uri, CancellationToken, Task> OpenBrowser { get; set; } = static (uri, _) =>
    {
        Process.Start(new ProcessStartInfo(uri.AbsoluteUri) { UseShellExecute = true })?.Dispose();
        return Task.CompletedTask;
    };

    /// <summary>What the browser shows when it has come back: HTML.</summary>
    public string DonePage { get; set; } = "<!doctype html><meta charset=utf-8><title>Signed in</title><p>You can close this page and go back to the app.";
}

/// <summary>What a person needs to sign in on another device.</summary>
/// <param name="VerificationUri">The page to go to.</param>
/// <param name="UserCode">What to type there.</param>
/// <param name="Life">How long the code is good.</param>
public sealed record DevicePrompt(Uri VerificationUri, string UserCode, TimeSpan Life);
