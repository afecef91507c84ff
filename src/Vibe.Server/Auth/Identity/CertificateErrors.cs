using System.Globalization;
using Grpc.Core;
using Vibe.Errors.V1;
using Vibe.Server.Kernel;

namespace Vibe.Server.Auth.Identity;

/// <summary>How calls on certificates fail.</summary>
internal static class CertificateErrors
{
    /// <summary>There is none, or the caller has nothing to do with it: the same answer.</summary>
    public static RpcException NotFound(string id) => VibeError.Create(
        StatusCode.NotFound, ErrorReason.CertificateNotFound, "There is no such certificate, or you have nothing to do with it.", ("id", id));

    /// <summary>There is no such account or app here.</summary>
    public static RpcException SubjectNotFound(string did) => VibeError.Create(
        StatusCode.NotFound, ErrorReason.AccountNotFound, "There is no such account or app.", ("account", did));

    /// <summary>The holder has as many as access rules look at.</summary>
    public static RpcException TooMany(int limit) => VibeError.Create(
        StatusCode.FailedPrecondition, ErrorReason.CertificateLimit, "The holder has as many certificates as access rules look at.",
        ("limit", limit.ToString(CultureInfo.InvariantCulture)));
}
