using Grpc.Core;
using Vibe.Errors.V1;
using Vibe.Server.Kernel;

namespace Vibe.Server.Auth.OAuth;

/// <summary>How the provider fails towards the hosted pages and callers of AuthService.</summary>
internal static class OAuthRpcErrors
{
    /// <summary>The request of an app, or of a device, is over, was answered, or is another browser's.</summary>
    public static RpcException RequestNotFound() => VibeError.Create(
        StatusCode.NotFound, ErrorReason.AuthorizationRequestNotFound, "The request is over, was answered, or belongs to another browser.");

    /// <summary>The same failure in the words of the contract.</summary>
    public static RpcException Of(OAuthError error) => error.Code switch
    {
        "invalid_client" => VibeError.Create(StatusCode.Unauthenticated, ErrorReason.ClientInvalid, error.Message),
        "invalid_grant" => VibeError.Create(StatusCode.Unauthenticated, ErrorReason.GrantInvalid, error.Message),
        "invalid_dpop_proof" => VibeError.Create(StatusCode.Unauthenticated, ErrorReason.ProofInvalid, error.Message),
        "unauthorized_client" => VibeError.Create(StatusCode.PermissionDenied, ErrorReason.ClientUnauthorized, error.Message),
        "invalid_scope" => VibeError.Create(StatusCode.InvalidArgument, ErrorReason.ScopeInvalid, error.Message),
        _ => VibeError.Create(StatusCode.InvalidArgument, ErrorReason.InvalidArgument, error.Message),
    };
}
