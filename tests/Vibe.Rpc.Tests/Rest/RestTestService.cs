using Google.Protobuf;
using Google.Rpc;
using Grpc.Core;
using Vibe.RpcTest.V1;
using Status = Grpc.Core.Status;

namespace Vibe.Rpc.Tests.Rest;

/// <summary>The test service, with events that a test can await.</summary>
internal sealed class RestTestService(RestEvents events, TimeProvider time) : RpcTestService.RpcTestServiceBase
{
    public override Task<EchoResponse> Echo(EchoRequest request, ServerCallContext context) => Task.FromResult(new EchoResponse
    {
        Message = request.Message,
        Name = request.Name,
        Words = { request.Words },
        Padding = ByteString.CopyFrom(new byte[request.PaddingBytes]),
    });

    public override async Task Expand(ExpandRequest request, IServerStreamWriter<ExpandResponse> responseStream, ServerCallContext context)
    {
        try
        {
            context.ResponseTrailers.Add("x-last-event", context.RequestHeaders.GetValue("last-event-id") ?? "none");
            for (var i = 0; i < request.Count; i++)
            {
                if (request.Delay is not null)
                {
                    await Task.Delay(request.Delay.ToTimeSpan(), time, context.CancellationToken);
                }

                await responseStream.WriteAsync(new() { Index = i, Padding = ByteString.CopyFrom(new byte[request.PaddingBytes]) });
            }

            if (request.Fail is not null)
            {
                throw Failure(request.Fail);
            }
        }
        catch (OperationCanceledException)
        {
            events.Cancelled.TrySetResult();
            throw;
        }
    }

    public override Task<FailResponse> Fail(FailRequest request, ServerCallContext context) =>
        request.Code == 0 ? Task.FromResult(new FailResponse()) : throw Failure(request);

    public override async Task<WaitResponse> Wait(WaitRequest request, ServerCallContext context)
    {
        await context.WriteResponseHeadersAsync(new() { { "x-early", "yes" } });
        context.ResponseTrailers.Add("x-seen", context.RequestHeaders.GetValue("authorization") ?? "nothing");
        context.ResponseTrailers.Add("x-bytes-bin", new byte[] { 1, 2 });
        if (request.Delay is not null)
        {
            await Task.Delay(request.Delay.ToTimeSpan(), time, context.CancellationToken);
        }

        return new();
    }

    private static Exception Failure(FailRequest request) => request switch
    {
        { Code: -1 } => new InvalidOperationException(request.Message),
        { Reason: "" } => new RpcException(new Status((StatusCode)request.Code, request.Message)),
        _ => RpcErrors.Create(
            (StatusCode)request.Code, request.Message, request.Reason, "test.vibe.dev", [new("key", "value")],
            new RetryInfo { RetryDelay = new() { Seconds = 2, Nanos = 1 } }),
    };
}

/// <summary>What a test waits for.</summary>
internal sealed class RestEvents
{
    public TaskCompletionSource Cancelled { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);
}
