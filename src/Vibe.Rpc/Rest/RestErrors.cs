using Google.Rpc;
using Grpc.Core;
using Vibe.Rpc.Calls;

namespace Vibe.Rpc.Rest;

/// <summary>What a REST request can get wrong before its method is called.</summary>
internal static class RestErrors
{
    /// <summary>Parameters of the path or the query string.</summary>
    public static RpcException InvalidParameters(List<BadRequest.Types.FieldViolation> violations)
    {
        var first = violations[0];
        var more = violations.Count > 1 ? $" (and {violations.Count - 1} more)" : "";
        return RpcErrors.Create(
            StatusCode.InvalidArgument, $"{first.Field}: {first.Description}{more}", "INVALID_PARAMETER", WireErrors.Domain, null,
            new BadRequest { FieldViolations = { violations } });
    }

    public static RpcException UnexpectedBody(HttpBinding binding) =>
        Create(StatusCode.InvalidArgument, "UNEXPECTED_BODY", $"{binding.HttpMethod} {binding.Template.Text} takes no body.");

    public static RpcException UnsupportedMediaType() => Create(
        StatusCode.InvalidArgument, "UNSUPPORTED_MEDIA_TYPE", "The body must be sent as Content-Type: application/json, in UTF-8.");

    public static RpcException UnsupportedEncoding() => Create(
        StatusCode.InvalidArgument, "UNSUPPORTED_ENCODING", "The body may be sent with Content-Encoding: gzip, or with none.");

    public static RpcException NoSuchPath() => Create(StatusCode.NotFound, "NO_SUCH_PATH", "No method has this path.");

    public static RpcException NoSuchVerb() => Create(
        StatusCode.NotFound,
        "NO_SUCH_VERB",
        "No method has this path: what follows the last colon is a verb. A colon in a value is sent as %3A.");

    public static RpcException MethodNotAllowed(IEnumerable<string> allowed) =>
        Create(StatusCode.Unimplemented, "METHOD_NOT_ALLOWED", $"This path takes {string.Join(", ", allowed)}.");

    private static RpcException Create(StatusCode code, string reason, string message) =>
        RpcErrors.Create(code, message, reason, WireErrors.Domain);
}
