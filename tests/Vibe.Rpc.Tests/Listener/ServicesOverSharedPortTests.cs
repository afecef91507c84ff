using System.Net;
using Grpc.Core;
using Grpc.Net.Client;
using Grpc.Reflection.V1;
using Vibe.Rpc.Json;
using Vibe.Rpc.Listener;
using Vibe.Rpc.Validation;
using Vibe.RpcTest.V1;
using HealthClient = Grpc.Health.V1.Health.HealthClient;
using ServingStatus = Grpc.Health.V1.HealthCheckResponse.Types.ServingStatus;
using V1Alpha = Grpc.Reflection.V1Alpha;

namespace Vibe.Rpc.Tests.Listener;

/// <summary>Reflection, health and validation as clients meet them: on one plaintext port, over the wire.</summary>
public sealed class ServicesOverSharedPortTests
{
    [Fact]
    public async Task Reflection_answers_many_questions_on_one_stream_in_both_versions()
    {
        await using var host = await StartAsync();
        using var channel = GrpcChannel.ForAddress(host.Addresses.Single());

        using var call = new ServerReflection.ServerReflectionClient(channel).ServerReflectionInfo();
        await call.RequestStream.WriteAsync(new() { FileByFilename = "none.proto" });
        Assert.Equal((int)StatusCode.NotFound, (await NextAsync(call.ResponseStream)).ErrorResponse.ErrorCode);
        await call.RequestStream.WriteAsync(new() { ListServices = "" });
        var services = (await NextAsync(call.ResponseStream)).ListServicesResponse.Service.Select(service => service.Name).ToList();
        Assert.Contains("vibe.rpctest.v1.RpcTestService", services);
        foreach (var service in services)
        {
            await call.RequestStream.WriteAsync(new() { FileContainingSymbol = service });
            Assert.NotEmpty((await NextAsync(call.ResponseStream)).FileDescriptorResponse.FileDescriptorProto);
        }

        await call.RequestStream.CompleteAsync();
        Assert.False(await call.ResponseStream.MoveNext(CancellationToken.None).WaitAsync(SharedPortHost.Bound));

        using var alpha = new V1Alpha.ServerReflection.ServerReflectionClient(channel).ServerReflectionInfo();
        await alpha.RequestStream.WriteAsync(new() { Host = "a", FileContainingSymbol = "vibe.rpctest.v1.AllTypes" });
        var answer = await NextAsync(alpha.ResponseStream);
        Assert.NotEmpty(answer.FileDescriptorResponse.FileDescriptorProto);
        Assert.Equal(("a", "vibe.rpctest.v1.AllTypes"), (answer.ValidHost, answer.OriginalRequest.FileContainingSymbol));
        await alpha.RequestStream.CompleteAsync();
    }

    [Fact]
    public async Task Health_answers_grpc_connect_and_plain_http_on_the_same_port()
    {
        await using var host = await StartAsync();
        using var channel = GrpcChannel.ForAddress(host.Addresses.Single());
        var health = new HealthClient(channel);
        using var http = new HttpClient { BaseAddress = new Uri(host.Addresses.Single()) };

        Assert.Equal(ServingStatus.Serving, (await health.CheckAsync(new() { Service = "vibe.rpctest.v1.RpcTestService" })).Status);
        var failure = await Assert.ThrowsAsync<RpcException>(async () => await health.CheckAsync(new() { Service = "none" }));
        Assert.Equal(StatusCode.NotFound, failure.StatusCode);

        using var json = new StringContent("{}", new System.Net.Http.Headers.MediaTypeHeaderValue("application/json"));
        using var connect = await http.PostAsync(new Uri("/grpc.health.v1.Health/Check", UriKind.Relative), json);
        Assert.Equal("{\"status\":\"SERVING\"}", await connect.Content.ReadAsStringAsync());
        Assert.Equal("ready", await http.GetStringAsync(new Uri("/readyz", UriKind.Relative)));
    }

    [Fact]
    public async Task A_watch_ends_with_not_serving_when_the_server_stops()
    {
        var host = await StartAsync();
        using var channel = GrpcChannel.ForAddress(host.Addresses.Single());
        using var watch = new HealthClient(channel).Watch(new());
        Assert.Equal(ServingStatus.Serving, (await NextAsync(watch.ResponseStream)).Status);

        var stopping = host.DisposeAsync().AsTask();

        Assert.Equal(ServingStatus.NotServing, (await NextAsync(watch.ResponseStream)).Status);
        Assert.False(await watch.ResponseStream.MoveNext(CancellationToken.None).WaitAsync(SharedPortHost.Bound));
        Assert.Equal(StatusCode.OK, watch.GetStatus().StatusCode);
        await stopping.WaitAsync(SharedPortHost.Bound);
    }

    [Fact]
    public async Task A_request_that_breaks_a_rule_is_refused_with_its_fields()
    {
        await using var host = await StartAsync();
        using var channel = GrpcChannel.ForAddress(host.Addresses.Single());
        var client = new RpcTestService.RpcTestServiceClient(channel);

        var failure = await Assert.ThrowsAsync<RpcException>(async () => await client.EchoAsync(new() { PaddingBytes = -1, Name = new string('n', 1025) }));

        Assert.Equal(StatusCode.InvalidArgument, failure.StatusCode);
        var violations = failure.GetRpcStatus()!.GetDetail<Google.Rpc.BadRequest>()!.FieldViolations;
        Assert.Equal([("name", "STRING_MAX_BYTES"), ("paddingBytes", "INT32_GTE")], violations.Select(violation => (violation.Field, violation.Reason)));
        Assert.Equal("INVALID_ARGUMENT", failure.GetRpcStatus()!.GetDetail<Google.Rpc.ErrorInfo>()!.Reason);
        Assert.Equal("fine", (await client.EchoAsync(new() { Name = "fine" })).Name);
    }

    private static Task<SharedPortHost> StartAsync() => SharedPortHost.StartAsync(
        options => options.ListenShared(IPAddress.Loopback, 0),
        services: services =>
        {
            services.AddGrpc(options => options.Interceptors.Add<ValidationInterceptor>());
            services.AddSingleton<RpcTestServiceImpl>();
            services.AddSingleton(ProtoSchema.Load(typeof(AllTypes).Assembly.GetManifestResourceStream("descriptors.binpb")!));
            services.AddGrpcReflection();
            services.AddGrpcHealthChecks();
        },
        map: app =>
        {
            app.MapGrpcService<RpcTestServiceImpl>();
            app.MapGrpcReflectionService();
            app.MapGrpcHealthChecksService();
            app.MapHealthEndpoints();
        });

    private static async Task<T> NextAsync<T>(IAsyncStreamReader<T> stream)
    {
        Assert.True(await stream.MoveNext(CancellationToken.None).WaitAsync(SharedPortHost.Bound));
        return stream.Current;
    }
}
