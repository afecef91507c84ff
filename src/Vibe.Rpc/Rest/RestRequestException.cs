using Grpc.Core;

namespace Vibe.Rpc.Rest;

/// <summary>A request that HTTP has a better word for than the canonical status: 413, 415.</summary>
internal sealed class RestRequestException(int httpStatus, RpcException error) : RpcException(error.Status, error.Trailers)
{
    public int HttpStatus => httpStatus;
}
