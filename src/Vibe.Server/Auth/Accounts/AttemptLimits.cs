using Vibe.Server.Pipeline;

namespace Vibe.Server.Auth.Accounts;

/// <summary>One kind of attempt, limited for each network, for each account, and in all. Null: not limited that way.</summary>
internal sealed record AttemptKind(ThrottleRule Network, ThrottleRule? Account, ThrottleRule? All)
{
    /// <summary>
    /// Signing in with a passkey: nothing to guess, so nobody can keep others out by trying. Not limited in all, so that it stays
    /// open while passwords are sprayed.
    /// </summary>
    public static readonly AttemptKind Passkey = new(new("passkey-network", 60, TimeSpan.FromSeconds(1)), null, null);

    /// <summary>Trying a password.</summary>
    public static readonly AttemptKind Password = new(
        new("password-network", 30, TimeSpan.FromSeconds(10)),
        new("password-account", 10, TimeSpan.FromMinutes(1)),
        new("password", 600, TimeSpan.FromMilliseconds(50)));

    /// <summary>Having a mail sent.</summary>
    public static readonly AttemptKind Mail = new(
        new("mail-network", 10, TimeSpan.FromMinutes(1)),
        new("mail-account", 3, TimeSpan.FromMinutes(5)),
        new("mail", 200, TimeSpan.FromMilliseconds(500)));

    /// <summary>Opening a link or trying a recovery code.</summary>
    public static readonly AttemptKind Code = new(
        new("code-network", 20, TimeSpan.FromSeconds(30)),
        new("code-account", 5, TimeSpan.FromMinutes(10)),
        new("code", 200, TimeSpan.FromMilliseconds(500)));

    /// <summary>Asking whether a handle is free, while it is typed.</summary>
    public static readonly AttemptKind HandleCheck = new(new("handle-check-network", 60, TimeSpan.FromSeconds(1)), null, null);

    /// <summary>Making an account.</summary>
    public static readonly AttemptKind SignUp = new(new("sign-up-network", 20, TimeSpan.FromMinutes(1)), null, new("sign-up", 500, TimeSpan.FromMilliseconds(200)));

    /// <summary>Changing one's handle.</summary>
    public static readonly AttemptKind Handle = new(new("handle-network", 20, TimeSpan.FromMinutes(1)), new("handle-account", 3, TimeSpan.FromDays(7)), null);
}

/// <summary>Limits attempts at the doors.</summary>
internal sealed class AttemptLimits(Throttle throttle)
{
    /// <summary>
    /// Takes one attempt. First the network's: who has none left there must not use up what the account and everybody else have.
    /// </summary>
    /// <param name="kind">What is tried.</param>
    /// <param name="http">Where from.</param>
    /// <param name="account">What was typed as the account, known or not; null for none.</param>
    /// <param name="cancellationToken">Stops waiting.</param>
    /// <exception cref="Grpc.Core.RpcException">RESOURCE_EXHAUSTED, reason RATE_LIMITED.</exception>
    public async Task TakeAsync(AttemptKind kind, HttpContext http, string? account, CancellationToken cancellationToken)
    {
        await throttle.TakeAsync(kind.Network, NetworkPrefix.Of(http.Connection.RemoteIpAddress), cancellationToken);
        if (kind.Account is not null && account is not null)
        {
            await throttle.TakeAsync(kind.Account, account, cancellationToken);
        }

        if (kind.All is not null)
        {
            await throttle.TakeAsync(kind.All, "", cancellationToken);
        }
    }
}
