using Grpc.Core;
using Vibe.Errors.V1;
using Vibe.Server.Kernel;

namespace Vibe.Server.Auth.Accounts;

/// <summary>How sign-in and the account's own calls fail.</summary>
internal static class AccountErrors
{
    /// <summary>
    /// What was shown proves nothing. Unknown name, wrong password, wrong code and bad passkey are one answer: it tells nobody
    /// whom there is.
    /// </summary>
    public static RpcException SignInFailed() => VibeError.Create(
        StatusCode.Unauthenticated, ErrorReason.SignInFailed, "That did not work: the name or what proves it is not right, or it has been used or is too old.");

    /// <summary>An operator has stopped the account. Said only to those who proved whose it is.</summary>
    public static RpcException Disabled() => VibeError.Create(
        StatusCode.PermissionDenied, ErrorReason.AccountDisabled, "The account has been disabled by an operator.");

    /// <summary>Somebody has the handle, or had it until lately. Handles are public.</summary>
    public static RpcException HandleTaken(string handle) => VibeError.Create(
        StatusCode.AlreadyExists, ErrorReason.HandleTaken, "The handle is taken.", ("handle", handle));

    /// <summary>Somebody else has verified the address. Said only to those who can read its mail.</summary>
    public static RpcException AddressTaken() => VibeError.Create(
        StatusCode.AlreadyExists, ErrorReason.AddressTaken, "The address belongs to another account.");

    /// <summary>The last way to sign in cannot be taken away.</summary>
    public static RpcException LastCredential() => VibeError.Create(
        StatusCode.FailedPrecondition, ErrorReason.LastCredential, "Without it nobody could sign in to the account: add another passkey or a password first.");

    /// <summary>Apps need an owner.</summary>
    public static RpcException OwnsApps() => VibeError.Create(
        StatusCode.FailedPrecondition, ErrorReason.AccountOwnsApps, "The account owns apps: delete them or give them away first.");

    /// <summary>The account is gone, or its token names one that never was here.</summary>
    public static RpcException NotFound(string did) => NotFound(ErrorReason.AccountNotFound, "There is no such account.", ("account", did));

    /// <summary>The account has no such session.</summary>
    public static RpcException SessionNotFound(string id) => NotFound(ErrorReason.SessionNotFound, "The account has no such session.", ("id", id));

    /// <summary>The account has no such passkey.</summary>
    public static RpcException PasskeyNotFound(string id) => NotFound(ErrorReason.PasskeyNotFound, "The account has no such passkey.", ("id", id));

    /// <summary>The account has no such address.</summary>
    public static RpcException AddressNotFound(string address) =>
        NotFound(ErrorReason.EmailAddressNotFound, "The account has no such e-mail address.", ("address", address));

    /// <summary>The account allows the app nothing.</summary>
    public static RpcException GrantNotFound(string app) => NotFound(ErrorReason.GrantNotFound, "The account allows this app nothing.", ("app", app));

    private static RpcException NotFound(ErrorReason reason, string message, (string Key, string Value) metadata) =>
        VibeError.Create(StatusCode.NotFound, reason, message, metadata);
}
