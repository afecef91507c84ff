using System.Globalization;
using Google.Protobuf.WellKnownTypes;
using Google.Rpc;
using Grpc.Core;
using Vibe.Errors.V1;
using Vibe.Server.Kernel;

namespace Vibe.Server.Auth;

/// <summary>How authentication fails.</summary>
internal static class AuthErrors
{
    /// <summary>The method needs an access token.</summary>
    public static RpcException TokenRequired() => VibeError.Create(
        StatusCode.Unauthenticated, ErrorReason.TokenRequired, "This method needs an access token: send `Authorization: Bearer <token>`.");

    /// <summary>The token is not one of ours. Which check failed is not said: it would help only a forger.</summary>
    public static RpcException TokenInvalid() => VibeError.Create(
        StatusCode.Unauthenticated, ErrorReason.TokenInvalid, "The access token is not valid here.");

    /// <summary>The token was ours, once.</summary>
    public static RpcException TokenExpired(DateTimeOffset expireTime)
    {
        var time = expireTime.ToString("yyyy-MM-ddTHH:mm:ssZ", CultureInfo.InvariantCulture);
        return VibeError.Create(
            StatusCode.Unauthenticated, ErrorReason.TokenExpired, $"The access token expired at {time}.", ("expireTime", time));
    }

    /// <summary>The token would still be good, had it not been taken back.</summary>
    public static RpcException TokenRevoked() => VibeError.Create(
        StatusCode.Unauthenticated, ErrorReason.TokenRevoked, "The access token has been revoked: sign in again.");

    /// <summary>The token is bound to a key, and the request does not prove to come from who holds it.</summary>
    public static RpcException ProofInvalid() => VibeError.Create(
        StatusCode.Unauthenticated, ErrorReason.ProofInvalid,
        "The access token and the header DPoP do not belong together, or the proof is not good for this request: send `Authorization: DPoP <token>` and a new proof.");

    /// <summary>The token does not reach as far as the call.</summary>
    public static RpcException ScopeRequired(string scope) => VibeError.Create(
        StatusCode.PermissionDenied, ErrorReason.ScopeRequired, $"The access token lacks the scope {scope}.", ("scope", scope));

    /// <summary>Somebody tries too often.</summary>
    public static RpcException TooManyAttempts(TimeSpan wait) => VibeError.Create(
        StatusCode.ResourceExhausted, ErrorReason.RateLimited, "Too many attempts: try again later.", [],
        new RetryInfo { RetryDelay = Duration.FromTimeSpan(wait) });

    /// <summary>The request needs somebody who is signed in on the pages of Vibe, perhaps lately.</summary>
    public static RpcException SignInRequired() => VibeError.Create(
        StatusCode.Unauthenticated, ErrorReason.SignInRequired, "This needs a person who has signed in lately, in this browser.");

    /// <summary>A request of the pages that did not come from them.</summary>
    public static RpcException OriginNotAllowed() => VibeError.Create(
        StatusCode.PermissionDenied, ErrorReason.OriginNotAllowed, "This is for the pages of this server only.");
}
