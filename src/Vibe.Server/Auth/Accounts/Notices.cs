using System.Globalization;
using Vibe.Server.Auth.Accounts.Mail;

namespace Vibe.Server.Auth.Accounts;

/// <summary>Tells people by mail what happened to their account. Those without an address see it among their events.</summary>
internal sealed class Notices(AccountStore accounts, MailQueue mails, AuthOptions auth)
{
    /// <summary>A passkey was added; <paramref name="activeTime"/> when it has to wait.</summary>
    public Task PasskeyAddedAsync(string did, DateTimeOffset? activeTime, CancellationToken cancellationToken) => SendAsync(
        did,
        "A passkey was added to your account",
        activeTime is { } from
            ? $"Somebody who opened a sign-in link from your mail added a passkey. It can be used from {Text(from)} on.\n\nIf this was not you, remove it before then"
            : "A passkey was added to your account.\n\nIf this was not you, remove it",
        cancellationToken);

    /// <summary>The password was set or changed.</summary>
    public Task PasswordChangedAsync(string did, CancellationToken cancellationToken) => SendAsync(
        did, "Your password was changed", "The password of your account was changed, and other devices were signed out.\n\nIf this was not you, sign in and set another one", cancellationToken);

    /// <summary>A recovery code was used.</summary>
    public Task RecoveryCodeUsedAsync(string did, CancellationToken cancellationToken) => SendAsync(
        did, "A recovery code was used", "Somebody signed in to your account with a recovery code.\n\nIf this was not you, end that session", cancellationToken);

    private async Task SendAsync(string did, string subject, string text, CancellationToken cancellationToken)
    {
        foreach (var row in await accounts.ListAddressesAsync(did, cancellationToken))
        {
            mails.Send(new Letter(row.Address, subject, $"{text}: {auth.Issuer}/account\n"));
        }
    }

    private static string Text(DateTimeOffset time) => time.ToString("yyyy-MM-dd HH:mm 'UTC'", CultureInfo.InvariantCulture);
}
