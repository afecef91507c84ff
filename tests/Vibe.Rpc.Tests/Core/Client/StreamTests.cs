using System.Collections.Concurrent;
using Grpc.Core;
using Vibe.Rpc.Wire;
using Vibe.RpcTest.V1;

namespace Vibe.Rpc.Tests.Core.Client;

/// <summary>Streams of requests, and how requests are framed.</summary>
public sealed class StreamTests
{
    private static readonly TimeSpan Soon = TimeSpan.FromSeconds(60);

    [Fact]
    public async Task A_stream_of_requests_is_answered_at_its_end()
    {
        await using var server = await RawServer.StartAsync(async context =>
        {
            long sum = 0;
            while (await context.ReadAsync() is { } message)
            {
                sum += CollectRequest.Parser.ParseFrom(message.Payload).Number;
            }

            await context.SendAsync(RawGrpc.Frame(new CollectResponse { Sum = sum }));
            context.End();
        });
        using var call = server.Client().Collect();
        for (var i = 1; i <= 100; i++)
        {
            await call.RequestStream.WriteAsync(new() { Number = i });
        }

        await call.RequestStream.CompleteAsync();
        Assert.Equal(5050, (await call).Sum);
        await Assert.ThrowsAsync<InvalidOperationException>(() => call.RequestStream.WriteAsync(new()));
    }

    [Fact]
    public async Task Both_sides_of_a_duplex_call_speak_in_turns_and_the_server_may_be_first()
    {
        await using var server = await RawServer.StartAsync(async context =>
        {
            await context.SendAsync(RawGrpc.Frame(new ChatResponse { Text = "welcome" }));
            while (await context.ReadAsync() is { } message)
            {
                await context.SendAsync(RawGrpc.Frame(new ChatResponse { Text = ChatRequest.Parser.ParseFrom(message.Payload).Text }));
            }

            context.End();
        });
        using var call = server.Client().Chat();
        Assert.True(await call.ResponseStream.MoveNext().WaitAsync(Soon));
        Assert.Equal("welcome", call.ResponseStream.Current.Text);
        for (var i = 0; i < 20; i++)
        {
            await call.RequestStream.WriteAsync(new() { Text = $"{i}" });
            Assert.True(await call.ResponseStream.MoveNext().WaitAsync(Soon));
            Assert.Equal($"{i}", call.ResponseStream.Current.Text);
        }

        await call.RequestStream.CompleteAsync();
        Assert.False(await call.ResponseStream.MoveNext().WaitAsync(Soon));
        Assert.Throws<InvalidOperationException>(() => call.ResponseStream.Current);
        Assert.False(await call.ResponseStream.MoveNext());
    }

    [Fact]
    public async Task Messages_with_a_buffer_hint_leave_together_with_the_next_one_without()
    {
        var reads = new ConcurrentQueue<int>();
        await using var server = await RawServer.StartAsync(async context =>
        {
            var completed = false;
            while (!completed)
            {
                var read = await context.Request.BodyReader.ReadAsync();
                reads.Enqueue((int)read.Buffer.Length);
                context.Request.BodyReader.AdvanceTo(read.Buffer.End);
                completed = read.IsCompleted;
                await context.SendAsync(RawGrpc.Frame(new ChatResponse { Text = "got it" }));
            }

            context.End();
        });
        using var call = server.Client().Chat();
        var message = new ChatRequest { Text = "0123456789" };
        var frame = RawGrpc.Frame(message).Length;
        call.RequestStream.WriteOptions = new WriteOptions(WriteFlags.BufferHint);
        for (var i = 0; i < 9; i++)
        {
            await call.RequestStream.WriteAsync(message);
        }

        call.RequestStream.WriteOptions = null;
        await call.RequestStream.WriteAsync(message);
        Assert.True(await call.ResponseStream.MoveNext().WaitAsync(Soon));
        Assert.Equal([10 * frame], reads);

        call.RequestStream.WriteOptions = new WriteOptions(WriteFlags.BufferHint);
        await call.RequestStream.WriteAsync(message);
        await call.RequestStream.CompleteAsync();
        await foreach (var _ in call.ResponseStream.ReadAllAsync())
        {
        }

        Assert.Equal(11 * frame, reads.Sum());
    }

    [Fact]
    public async Task A_write_after_the_server_s_end_says_how_it_ended()
    {
        await using var server = await RawServer.StartAsync(async context =>
        {
            await context.ReadAsync();
            await context.StartAsync();
            context.End(7, "enough");
        });
        using var call = server.Client().Collect();
        await call.RequestStream.WriteAsync(new());
        var exception = await Assert.ThrowsAsync<RpcException>(async () => await call);
        Assert.Equal(StatusCode.PermissionDenied, exception.StatusCode);
        exception = await Assert.ThrowsAsync<RpcException>(() => call.RequestStream.WriteAsync(new()));
        Assert.Equal(StatusCode.PermissionDenied, exception.StatusCode);
        Assert.Equal("enough", exception.Status.Detail);
        await call.RequestStream.CompleteAsync();
    }

    [Fact]
    public async Task A_cancelled_stream_of_requests_never_looks_complete()
    {
        var completed = 0;
        var broken = 0;
        using var seen = new SemaphoreSlim(0);
        using var read = new SemaphoreSlim(0);
        await using var server = await RawServer.StartAsync(async context =>
        {
            try
            {
                await context.ReadAsync();
                read.Release();
                _ = await context.ReadAsync() is null ? Interlocked.Increment(ref completed) : 0;
            }
            catch (Exception exception) when (exception is IOException or OperationCanceledException)
            {
                Interlocked.Increment(ref broken);
            }

            seen.Release();
        });
        var client = server.Client();
        for (var i = 0; i < 100; i++)
        {
            using var cancellation = new CancellationTokenSource();
            using var call = client.Collect(cancellationToken: cancellation.Token);
            await call.RequestStream.WriteAsync(new());
            Assert.True(await read.WaitAsync(Soon));
            await cancellation.CancelAsync();
            Assert.True(await seen.WaitAsync(Soon));
        }

        Assert.Equal((0, 100), (completed, broken));
    }

    [Fact]
    public async Task A_slow_server_slows_the_writer_down()
    {
        var read = new TaskCompletionSource();
        await using var server = await RawServer.StartAsync(async context =>
        {
            await read.Task;
            while (await context.ReadAsync() is not null)
            {
            }

            await context.SendAsync(RawGrpc.Frame(new CollectResponse()));
            context.End();
        });
        using var call = server.Client().Chat();
        var written = 0;
        var large = new ChatRequest { Text = new string('x', 100_000) };
        var (write, next) = (Task.CompletedTask, call.RequestStream.WriteAsync(large));

        // A write that is only slow has ended when the next is tried; one that waits for the server refuses it.
        while (!next.IsFaulted)
        {
            write = next;
            Assert.InRange(++written, 1, 1000);
            await Task.WhenAny(write, Task.Delay(TimeSpan.FromSeconds(1), TimeProvider.System, CancellationToken.None));
            next = call.RequestStream.WriteAsync(large);
        }

        await Assert.ThrowsAsync<InvalidOperationException>(() => next);
        read.SetResult();
        await write.WaitAsync(Soon);
        await call.RequestStream.CompleteAsync();
        Assert.True(await call.ResponseStream.MoveNext().WaitAsync(Soon));
        Assert.False(await call.ResponseStream.MoveNext().WaitAsync(Soon));
    }

    [Theory]
    [InlineData("channel")]
    [InlineData("call")]
    [InlineData("call, but not this message")]
    [InlineData("nothing")]
    public async Task Requests_are_compressed_when_asked(string scope)
    {
        var request = new EchoRequest { Name = new string('a', 10_000) };
        (byte Flags, byte[] Payload)? received = null;
        var headers = "";
        await using var server = await RawServer.StartAsync(async context =>
        {
            headers = context.Request.Headers["grpc-encoding"].ToString();
            Assert.False(context.Request.Headers.ContainsKey("grpc-internal-encoding-request"));
            received = await context.ReadAsync();
            await context.SendAsync(RawGrpc.Frame(new EchoResponse()));
            context.End();
        });
        var options = new CallOptions(
            headers: scope.StartsWith("call", StringComparison.Ordinal) ? new() { { "grpc-internal-encoding-request", "gzip" } } : null,
            writeOptions: scope.Contains("not", StringComparison.Ordinal) && scope != "nothing" ? new(WriteFlags.NoCompress) : null);
        await server.Client(o => o.CompressRequests = scope == "channel").EchoAsync(request, options);
        Assert.Equal(scope == "nothing" ? "" : "gzip", headers);
        var (flags, payload) = received!.Value;
        var compressed = scope is "channel" or "call";
        Assert.Equal(compressed ? 1 : 0, flags);
        using var inflated = new PooledBuffer();
        if (compressed)
        {
            Assert.True(payload.Length < 1000);
            Assert.Equal(InflateResult.Done, Gzip.Inflate(new(payload), 20_000, inflated));
            payload = inflated.WrittenMemory.ToArray();
        }

        Assert.Equal(request, EchoRequest.Parser.ParseFrom(payload));
    }

    [Fact]
    public async Task A_request_over_the_limit_is_not_sent()
    {
        var calls = 0;
        await using var server = await RawServer.StartAsync(context =>
        {
            Interlocked.Increment(ref calls);
            return context.UntilAbortedAsync();
        });
        var client = server.Client(options => options.MaxSendMessageSize = 100);
        var request = new EchoRequest { Name = new string('a', 100) };
        var exception = await Assert.ThrowsAsync<RpcException>(async () => await client.EchoAsync(request));
        Assert.Equal(StatusCode.ResourceExhausted, exception.StatusCode);
        Assert.Equal(0, calls);

        using var call = client.Chat();
        exception = await Assert.ThrowsAsync<RpcException>(() => call.RequestStream.WriteAsync(new() { Text = request.Name }));
        Assert.Equal(StatusCode.ResourceExhausted, exception.StatusCode);
        Assert.Equal(StatusCode.ResourceExhausted, call.GetStatus().StatusCode);
    }

    [Fact]
    public async Task Many_calls_share_few_connections()
    {
        var connections = new ConcurrentDictionary<string, bool>();
        var release = new TaskCompletionSource();
        var waiting = 0;
        await using var server = await RawServer.StartAsync(async context =>
        {
            connections[context.Connection.Id] = true;
            if (Interlocked.Increment(ref waiting) == 150)
            {
                release.SetResult();
            }

            await release.Task;
            await context.SendAsync(RawGrpc.Frame(new EchoResponse()));
            context.End();
        });
        var client = server.Client();

        // Kestrel allows 100 streams per connection: the 150 calls only end when all have arrived.
        await Task.WhenAll(Enumerable.Range(0, 150).Select(_ => client.EchoAsync(new()).ResponseAsync)).WaitAsync(Soon);
        Assert.InRange(connections.Count, 2, 10);
    }
}
