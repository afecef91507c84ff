using Google.Protobuf;
using Google.Rpc;
using Grpc.Core;

namespace Vibe.RpcTest.V1;

/// <summary>The test service as its contract describes it; one instance serves all calls.</summary>
public sealed class RpcTestServiceImpl(TimeProvider time) : RpcTestService.RpcTestServiceBase
{
    private long _cancelled;

    /// <summary>Calls that ended by cancellation or deadline so far.</summary>
    public long CancelledCount => Interlocked.Read(ref _cancelled);

    /// <inheritdoc/>
    public override Task<EchoResponse> Echo(EchoRequest request, ServerCallContext context) => Task.FromResult(new EchoResponse
    {
        Message = request.Message,
        Name = request.Name,
        Words = { request.Words },
        Padding = Padding(request.PaddingBytes),
    });

    /// <inheritdoc/>
    public override async Task Expand(ExpandRequest request, IServerStreamWriter<ExpandResponse> responseStream, ServerCallContext context)
    {
        var padding = Padding(request.PaddingBytes);
        for (var index = 0; index < request.Count; index++)
        {
            await DelayAsync(request.Delay?.ToTimeSpan() ?? TimeSpan.Zero, context.CancellationToken);
            await responseStream.WriteAsync(new ExpandResponse { Index = index, Padding = padding });
        }

        if (request.Fail is not null)
        {
            ThrowAsTold(request.Fail);
        }
    }

    /// <inheritdoc/>
    public override async Task<CollectResponse> Collect(IAsyncStreamReader<CollectRequest> requestStream, ServerCallContext context)
    {
        var response = new CollectResponse();
        try
        {
            while (await requestStream.MoveNext(context.CancellationToken))
            {
                response.Sum += requestStream.Current.Number;
                response.Count++;
            }
        }
        catch (OperationCanceledException)
        {
            Interlocked.Increment(ref _cancelled);
            throw;
        }

        return response;
    }

    /// <inheritdoc/>
    public override async Task Chat(
        IAsyncStreamReader<ChatRequest> requestStream, IServerStreamWriter<ChatResponse> responseStream, ServerCallContext context)
    {
        try
        {
            while (await requestStream.MoveNext(context.CancellationToken))
            {
                await responseStream.WriteAsync(new ChatResponse { Text = requestStream.Current.Text });
            }
        }
        catch (OperationCanceledException)
        {
            Interlocked.Increment(ref _cancelled);
            throw;
        }
    }

    /// <inheritdoc/>
    public override Task<FailResponse> Fail(FailRequest request, ServerCallContext context)
    {
        ThrowAsTold(request);
        return Task.FromResult(new FailResponse());
    }

    /// <inheritdoc/>
    public override async Task<WaitResponse> Wait(WaitRequest request, ServerCallContext context)
    {
        await DelayAsync(request.Delay?.ToTimeSpan() ?? TimeSpan.Zero, context.CancellationToken);
        return new() { CancelledCount = CancelledCount };
    }

    /// <inheritdoc/>
    public override async Task<HeadersResponse> Headers(HeadersRequest request, ServerCallContext context)
    {
        if (request.Headers.Count > 0)
        {
            await context.WriteResponseHeadersAsync([.. request.Headers.Select(ToEntry)]);
        }

        foreach (var trailer in request.Trailers)
        {
            context.ResponseTrailers.Add(ToEntry(trailer));
        }

        var response = new HeadersResponse();
        foreach (var values in context.RequestHeaders.GroupBy(entry => entry.Key))
        {
            response.Metadata[values.Key] = string.Join(
                ",", values.Select(entry => entry.IsBinary ? Convert.ToBase64String(entry.ValueBytes) : entry.Value));
        }

        return response;
    }

    private async Task DelayAsync(TimeSpan delay, CancellationToken cancellationToken)
    {
        try
        {
            if (delay > TimeSpan.Zero)
            {
                await Task.Delay(delay, time, cancellationToken);
            }

            cancellationToken.ThrowIfCancellationRequested();
        }
        catch (OperationCanceledException)
        {
            Interlocked.Increment(ref _cancelled);
            throw;
        }
    }

    private static Metadata.Entry ToEntry(KeyValuePair<string, string> header) => header.Key.EndsWith(Metadata.BinaryHeaderSuffix)
        ? new(header.Key, Convert.FromBase64String(header.Value))
        : new(header.Key, header.Value);

    private static ByteString Padding(int bytes) => bytes == 0 ? ByteString.Empty : UnsafeByteOperations.UnsafeWrap(new byte[bytes]);

    private static void ThrowAsTold(FailRequest request)
    {
        switch (request.Code)
        {
            case 0:
                return;
            case -1:
                throw new InvalidOperationException(request.Message);
            case var code when request.Reason.Length > 0:
                throw Rpc.RpcErrors.Create((StatusCode)code, request.Message, request.Reason, "rpctest.vibe.dev");
            case var code:
                throw new RpcException(new((StatusCode)code, request.Message));
        }
    }
}
