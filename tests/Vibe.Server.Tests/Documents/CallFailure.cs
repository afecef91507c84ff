using Google.Rpc;
using Grpc.Core;

namespace Vibe.Server.Tests.Documents;

/// <summary>What a client sees of a failed call.</summary>
internal sealed record CallFailure(StatusCode Code, string Reason, IReadOnlyDictionary<string, string> Metadata, string? Field, string Message)
{
    public static async Task<CallFailure> Of(Task call)
    {
        var exception = await Assert.ThrowsAsync<RpcException>(() => call);
        var status = Google.Rpc.Status.Parser.ParseFrom(exception.Trailers.GetValueBytes("grpc-status-details-bin"));
        var info = status.Details.Single(static detail => detail.Is(ErrorInfo.Descriptor)).Unpack<ErrorInfo>();
        var fields = status.Details.FirstOrDefault(static detail => detail.Is(BadRequest.Descriptor))?.Unpack<BadRequest>();
        return new CallFailure(exception.StatusCode, info.Reason, new Dictionary<string, string>(info.Metadata), fields?.FieldViolations[0].Field, status.Message);
    }

    /// <summary>The bytes of the status a client gets, for comparisons.</summary>
    public static async Task<byte[]> BytesOf(Task call) =>
        (await Assert.ThrowsAsync<RpcException>(() => call)).Trailers.GetValueBytes("grpc-status-details-bin")!;
}
