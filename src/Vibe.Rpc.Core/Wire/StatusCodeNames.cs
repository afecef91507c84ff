using System.Net;
using Grpc.Core;

namespace Vibe.Rpc.Wire;

/// <summary>The canonical codes as other protocols write them.</summary>
internal static class StatusCodeNames
{
    // By number. Connect spells "canceled" with one l, google.rpc.Code with two.
    private static readonly string[] Connect =
    [
        "ok", "canceled", "unknown", "invalid_argument", "deadline_exceeded", "not_found", "already_exists", "permission_denied",
        "resource_exhausted", "failed_precondition", "aborted", "out_of_range", "unimplemented", "internal", "unavailable",
        "data_loss", "unauthenticated",
    ];

    private static readonly string[] Canonical =
    [
        "OK", "CANCELLED", "UNKNOWN", "INVALID_ARGUMENT", "DEADLINE_EXCEEDED", "NOT_FOUND", "ALREADY_EXISTS", "PERMISSION_DENIED",
        "RESOURCE_EXHAUSTED", "FAILED_PRECONDITION", "ABORTED", "OUT_OF_RANGE", "UNIMPLEMENTED", "INTERNAL", "UNAVAILABLE",
        "DATA_LOSS", "UNAUTHENTICATED",
    ];

    /// <summary>The code in Connect's errors, for example <c>not_found</c>; a number of the future is <c>unknown</c>.</summary>
    public static string ToConnectName(this StatusCode code) => Connect[IndexOf(code)];

    /// <summary>The code in google.rpc.Code, for example <c>NOT_FOUND</c>; a number of the future is <c>UNKNOWN</c>.</summary>
    public static string ToCanonicalName(this StatusCode code) => Canonical[IndexOf(code)];

    /// <summary>
    /// The HTTP status of a call that ended with the code. Connect's table and that of google/rpc/code.proto are the same one;
    /// gRPC and Connect streams answer 200 whatever the code is.
    /// </summary>
    public static int ToHttpStatus(this StatusCode code) => code switch
    {
        StatusCode.OK => 200,
        StatusCode.Cancelled => 499,
        StatusCode.InvalidArgument or StatusCode.FailedPrecondition or StatusCode.OutOfRange => 400,
        StatusCode.Unauthenticated => 401,
        StatusCode.PermissionDenied => 403,
        StatusCode.NotFound => 404,
        StatusCode.AlreadyExists or StatusCode.Aborted => 409,
        StatusCode.ResourceExhausted => 429,
        StatusCode.Unimplemented => 501,
        StatusCode.Unavailable => 503,
        StatusCode.DeadlineExceeded => 504,
        _ => 500,
    };

    /// <summary>
    /// What a client makes of an HTTP status that came without a gRPC or Connect status: a proxy answered, or there is no such service
    /// (gRPC's http-grpc-status-mapping.md, which Connect shares).
    /// </summary>
    public static StatusCode FromHttpStatus(HttpStatusCode status) => status switch
    {
        HttpStatusCode.BadRequest => StatusCode.Internal,
        HttpStatusCode.Unauthorized => StatusCode.Unauthenticated,
        HttpStatusCode.Forbidden => StatusCode.PermissionDenied,
        HttpStatusCode.NotFound => StatusCode.Unimplemented,
        HttpStatusCode.TooManyRequests or HttpStatusCode.BadGateway or HttpStatusCode.ServiceUnavailable
            or HttpStatusCode.GatewayTimeout => StatusCode.Unavailable,
        _ => StatusCode.Unknown,
    };

    private static int IndexOf(StatusCode code) => (uint)code < (uint)Connect.Length ? (int)code : (int)StatusCode.Unknown;
}
