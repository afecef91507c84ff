using Google.Rpc;
using Grpc.Core;
using Microsoft.Extensions.Options;
using Vibe.Rpc.Validation;
using Vibe.RpcTest.Validation.V1;

namespace Vibe.Rpc.Tests.Validation;

public sealed class ValidationInterceptorTests
{
    private static readonly Ruled Good = new() { ShortText = "abc", Tags = { "a" } };
    private static readonly Ruled Bad = new() { ShortText = "abc", Tags = { "a" }, Small = 11, Id = "?" };

    private readonly ValidationInterceptor _interceptor = new(Options.Create(new ValidationOptions { Domain = "test.example" }));

    [Fact]
    public async Task A_unary_request_that_breaks_rules_never_reaches_the_handler()
    {
        var failure = await Assert.ThrowsAsync<RpcException>(() =>
            _interceptor.UnaryServerHandler<Ruled, Unruled>(Bad, null!, (_, _) => throw new InvalidOperationException("reached")));

        Assert.Equal(StatusCode.InvalidArgument, failure.StatusCode);
        Assert.Equal("2 rules are broken; the first is id: Must be a UUID in the form 01234567-89ab-cdef-0123-456789abcdef.", failure.Status.Detail);
        var details = failure.GetRpcStatus()!.Details;
        Assert.Equal(2, details.Count);
        Assert.Equal(new ErrorInfo { Reason = "INVALID_ARGUMENT", Domain = "test.example" }, details[0].Unpack<ErrorInfo>());
        Assert.Equal(["id", "small"], details[1].Unpack<BadRequest>().FieldViolations.Select(violation => violation.Field));
    }

    [Fact]
    public async Task A_valid_request_is_passed_on()
    {
        var answer = new Unruled();
        Assert.Same(answer, await _interceptor.UnaryServerHandler<Ruled, Unruled>(Good, null!, (_, _) => Task.FromResult(answer)));
        await _interceptor.ServerStreamingServerHandler<Ruled, Unruled>(Good, null!, null!, (request, _, _) =>
        {
            Assert.Same(Good, request);
            return Task.CompletedTask;
        });
    }

    [Fact]
    public async Task The_request_of_a_server_stream_is_validated() =>
        await Assert.ThrowsAsync<RpcException>(() => _interceptor.ServerStreamingServerHandler<Ruled, Unruled>(
            Bad, null!, null!, (_, _, _) => throw new InvalidOperationException("reached")));

    [Fact]
    public async Task Each_message_of_a_request_stream_is_validated_when_it_is_read()
    {
        List<Ruled> seen = [];
        var failure = await Assert.ThrowsAsync<RpcException>(() => _interceptor.ClientStreamingServerHandler<Ruled, Unruled>(
            new Requests<Ruled>(Good, Good, Bad), null!, ReadAllAsync));
        Assert.Equal(StatusCode.InvalidArgument, failure.StatusCode);
        Assert.Equal(2, seen.Count);

        await Assert.ThrowsAsync<RpcException>(() => _interceptor.DuplexStreamingServerHandler<Ruled, Unruled>(
            new Requests<Ruled>(Bad), null!, null!, (requests, _, context) => ReadAllAsync(requests, context)));

        async Task<Unruled> ReadAllAsync(IAsyncStreamReader<Ruled> requests, ServerCallContext context)
        {
            while (await requests.MoveNext(CancellationToken.None))
            {
                seen.Add(requests.Current);
            }

            return new Unruled();
        }
    }

    [Fact]
    public async Task A_stream_of_messages_without_rules_is_left_alone()
    {
        var requests = new Requests<Unruled>();
        await _interceptor.ClientStreamingServerHandler<Unruled, Unruled>(requests, null!, (given, _) =>
        {
            Assert.Same(requests, given);
            return Task.FromResult(new Unruled());
        });
    }

    [Fact]
    public async Task A_request_that_is_no_protobuf_message_is_passed_on() =>
        Assert.Equal("b", await _interceptor.UnaryServerHandler<string, string>("a", null!, (_, _) => Task.FromResult("b")));

    private sealed class Requests<T>(params T[] messages) : IAsyncStreamReader<T>
    {
        private int _next;

        public T Current => messages[_next - 1];

        public Task<bool> MoveNext(CancellationToken cancellationToken) => Task.FromResult(_next++ < messages.Length);
    }
}
