using Grpc.Core;
using Vibe.Errors.V1;
using Vibe.Server.Kernel;

namespace Vibe.Server.Auth.Accounts;

/// <summary>How sign-in and the account's own calls fail.</summary>
internal static class AccountErrors
{
    /// <summary>An operator has stopped the account. Said only to those who proved whose it is.</summary>
    public static RpcException Disabled() => VibeError.Create(
        StatusCode.PermissionDenied, ErrorReason.AccountDisabled, "The account has been disabled by an operator.");
}
