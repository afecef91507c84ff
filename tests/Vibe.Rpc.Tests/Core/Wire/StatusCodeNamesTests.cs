using System.Net;
using Google.Rpc;
using Grpc.Core;
using Vibe.Rpc.Wire;

namespace Vibe.Rpc.Tests.Core.Wire;

public sealed class StatusCodeNamesTests
{
    [Theory]
    [InlineData(StatusCode.OK, "ok", "OK", 200)]
    [InlineData(StatusCode.Cancelled, "canceled", "CANCELLED", 499)]
    [InlineData(StatusCode.Unknown, "unknown", "UNKNOWN", 500)]
    [InlineData(StatusCode.InvalidArgument, "invalid_argument", "INVALID_ARGUMENT", 400)]
    [InlineData(StatusCode.DeadlineExceeded, "deadline_exceeded", "DEADLINE_EXCEEDED", 504)]
    [InlineData(StatusCode.NotFound, "not_found", "NOT_FOUND", 404)]
    [InlineData(StatusCode.AlreadyExists, "already_exists", "ALREADY_EXISTS", 409)]
    [InlineData(StatusCode.PermissionDenied, "permission_denied", "PERMISSION_DENIED", 403)]
    [InlineData(StatusCode.ResourceExhausted, "resource_exhausted", "RESOURCE_EXHAUSTED", 429)]
    [InlineData(StatusCode.FailedPrecondition, "failed_precondition", "FAILED_PRECONDITION", 400)]
    [InlineData(StatusCode.Aborted, "aborted", "ABORTED", 409)]
    [InlineData(StatusCode.OutOfRange, "out_of_range", "OUT_OF_RANGE", 400)]
    [InlineData(StatusCode.Unimplemented, "unimplemented", "UNIMPLEMENTED", 501)]
    [InlineData(StatusCode.Internal, "internal", "INTERNAL", 500)]
    [InlineData(StatusCode.Unavailable, "unavailable", "UNAVAILABLE", 503)]
    [InlineData(StatusCode.DataLoss, "data_loss", "DATA_LOSS", 500)]
    [InlineData(StatusCode.Unauthenticated, "unauthenticated", "UNAUTHENTICATED", 401)]
    [InlineData((StatusCode)77, "unknown", "UNKNOWN", 500)]
    public void Every_code_has_its_names(StatusCode code, string connect, string canonical, int http)
    {
        Assert.Equal(connect, code.ToConnectName());
        Assert.Equal(canonical, code.ToCanonicalName());
        Assert.Equal(http, code.ToHttpStatus());
    }

    [Theory]
    [InlineData(400, StatusCode.Internal)]
    [InlineData(401, StatusCode.Unauthenticated)]
    [InlineData(403, StatusCode.PermissionDenied)]
    [InlineData(404, StatusCode.Unimplemented)]
    [InlineData(429, StatusCode.Unavailable)]
    [InlineData(502, StatusCode.Unavailable)]
    [InlineData(503, StatusCode.Unavailable)]
    [InlineData(504, StatusCode.Unavailable)]
    [InlineData(500, StatusCode.Unknown)]
    [InlineData(200, StatusCode.Unknown)]
    public void An_http_status_without_a_grpc_status_is_mapped(int http, StatusCode code) =>
        Assert.Equal(code, StatusCodeNames.FromHttpStatus((HttpStatusCode)http));

    [Fact]
    public void Details_survive_the_trailer()
    {
        var exception = RpcErrors.Create(
            StatusCode.InvalidArgument,
            "name is too long",
            "NAME_TOO_LONG",
            "vibe.dev",
            new Dictionary<string, string> { ["limit"] = "512" },
            new BadRequest { FieldViolations = { RpcErrors.Violation("name", "at most 512 bytes") } });

        Assert.Equal(StatusCode.InvalidArgument, exception.StatusCode);
        Assert.Equal("name is too long", exception.Status.Detail);
        Assert.Equal("NAME_TOO_LONG", exception.GetErrorInfo()?.Reason);
        Assert.Equal("512", exception.GetErrorInfo()?.Metadata["limit"]);
        Assert.Equal("name", exception.GetRpcStatus()?.GetDetail<BadRequest>()?.FieldViolations[0].Field);
        Assert.Null(exception.GetRpcStatus()?.GetDetail<RetryInfo>());
    }

    [Fact]
    public void Details_that_cannot_be_read_are_none()
    {
        var trailers = new Metadata { { MetadataHeaders.StatusDetails, [0xFF, 0xFF] } };
        var exception = new RpcException(new(StatusCode.NotFound, ""), trailers);
        Assert.Null(exception.GetRpcStatus());
        Assert.Null(exception.GetErrorInfo());
    }

    [Fact]
    public void Success_is_no_error() => Assert.Throws<ArgumentException>(() => RpcErrors.Create(StatusCode.OK, "fine"));
}
