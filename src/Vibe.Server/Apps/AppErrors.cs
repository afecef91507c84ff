using Grpc.Core;
using Vibe.Errors.V1;
using Vibe.Server.Kernel;

namespace Vibe.Server.Apps;

/// <summary>How calls on apps fail.</summary>
internal static class AppErrors
{
    /// <summary>There is no such app, or it was deleted.</summary>
    public static RpcException NotFound(string app) => VibeError.Create(
        StatusCode.NotFound, ErrorReason.AppNotFound, "There is no such app.", ("app", app));

    /// <summary>The name is taken, perhaps by an app that was deleted.</summary>
    public static RpcException AlreadyExists(string name) => VibeError.Create(
        StatusCode.AlreadyExists, ErrorReason.AppAlreadyExists, "The name is taken.", ("name", name));

    /// <summary>The display name looks like that of another app. Which one is not said: it may not be public.</summary>
    public static RpcException LooksLikeAnother() => VibeError.InvalidField(
        "app.manifest.displayName", "looks like the name of another app", "app.look_alike");

    /// <summary>The caller does not look after the app, or not as its owner.</summary>
    public static RpcException RoleRequired(string app, AppPower power) => VibeError.Create(
        StatusCode.PermissionDenied, ErrorReason.AppRoleRequired,
        power == AppPower.Owner ? "This is for the owner of the app." : "This is for those who look after the app.",
        ("app", app), ("role", power == AppPower.Owner ? "owner" : "admin"));

    /// <summary>Somebody else changed it in between.</summary>
    public static RpcException EtagMismatch(string app, string etag, string current) => VibeError.Create(
        StatusCode.Aborted, ErrorReason.EtagMismatch, "The app was changed in between: read it again.",
        ("id", app), ("etag", etag), ("currentEtag", current));

    /// <summary>The app has no such credential that is good.</summary>
    public static RpcException CredentialNotFound(string app, string id) => VibeError.Create(
        StatusCode.NotFound, ErrorReason.CredentialNotFound, "The app has no such credential.", ("app", app), ("id", id));

    /// <summary>There is no such account, or it has not the role the call needs.</summary>
    public static RpcException AccountNotFound(string account) => VibeError.Create(
        StatusCode.NotFound, ErrorReason.AccountNotFound, "There is no such account, or it has not the role this needs.", ("account", account));
}
