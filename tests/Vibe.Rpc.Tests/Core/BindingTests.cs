using System.Text;
using Grpc.Core;
using Grpc.Core.Interceptors;
using Vibe.RpcTest.V1;

namespace Vibe.Rpc.Tests.Core;

/// <summary>What generated code and its users do with the Grpc.Core types on the server's side.</summary>
public sealed class BindingTests
{
    [Fact]
    public void Generated_code_binds_every_method_with_its_kind()
    {
        var binder = new Recorder();
        RpcTestService.BindService(binder, new RpcTestServiceImpl(TimeProvider.System));
        Assert.Equal(
            [
                "/vibe.rpctest.v1.RpcTestService/Echo Unary",
                "/vibe.rpctest.v1.RpcTestService/Expand ServerStreaming",
                "/vibe.rpctest.v1.RpcTestService/Collect ClientStreaming",
                "/vibe.rpctest.v1.RpcTestService/Chat DuplexStreaming",
            ],
            binder.Bound.Take(4));
        Assert.Equal(7, binder.Bound.Count);
        Assert.Equal(7, binder.Handlers);

        binder = new Recorder();
        RpcTestService.BindService(binder, null);
        Assert.Equal(7, binder.Bound.Count);
        Assert.Equal(0, binder.Handlers);
    }

    [Fact]
    public async Task An_intercepted_definition_passes_calls_in_the_order_given()
    {
        var order = new List<string>();
        var definition = RpcTestService.BindService(new RpcTestServiceImpl(TimeProvider.System))
            .Intercept(new Tracer("a", order), new Tracer("b", order));
        var binder = new Recorder();
        definition.BindService(binder);
        Assert.Equal(7, binder.Handlers);
        var response = await binder.Echo!(new EchoRequest { Name = "x" }, null!);
        Assert.Equal("x", response.Name);
        Assert.Equal(["a", "b"], order);
    }

    [Fact]
    public void A_method_is_defined_once()
    {
        var method = new Method<string, string>(MethodType.Unary, "s", "m", Marshallers.StringMarshaller, Marshallers.StringMarshaller);
        UnaryServerMethod<string, string> handler = (request, _) => Task.FromResult(request);
        var builder = ServerServiceDefinition.CreateBuilder().AddMethod(method, handler);
        Assert.Throws<ArgumentException>(() => builder.AddMethod(method, handler));
        Assert.Equal("/s/m", method.FullName);
    }

    [Fact]
    public void Both_forms_of_a_marshaller_agree()
    {
        var contextual = Marshallers.Create<string>(
            (text, context) =>
            {
                var bytes = Marshallers.StringMarshaller.Serializer(text);
                context.SetPayloadLength(bytes.Length);
                bytes.CopyTo(context.GetBufferWriter().GetSpan(bytes.Length));
                context.GetBufferWriter().Advance(bytes.Length);
                context.Complete();
            },
            context => Encoding.UTF8.GetString(context.PayloadAsReadOnlySequence()));
        Assert.Equal("grüße", contextual.Deserializer(contextual.Serializer("grüße")));
        Assert.Equal("grüße", contextual.Deserializer(Marshallers.StringMarshaller.Serializer("grüße")));
        var incomplete = Marshallers.Create<string>((_, _) => { }, _ => "");
        Assert.Throws<InvalidOperationException>(() => incomplete.Serializer("x"));
    }

    [Fact]
    public void A_client_for_test_doubles_says_that_it_has_no_channel()
    {
        var client = new Double();
        Assert.Throws<InvalidOperationException>(() => client.Echo(new EchoRequest(), default(CallOptions)));
    }

    private sealed class Double : RpcTestService.RpcTestServiceClient;

    private sealed class Tracer(string name, List<string> order) : Interceptor
    {
        public override Task<TResponse> UnaryServerHandler<TRequest, TResponse>(
            TRequest request, ServerCallContext context, UnaryServerMethod<TRequest, TResponse> continuation)
        {
            order.Add(name);
            return continuation(request, context);
        }
    }

    private sealed class Recorder : ServiceBinderBase
    {
        public List<string> Bound { get; } = [];

        public int Handlers { get; private set; }

        public UnaryServerMethod<EchoRequest, EchoResponse>? Echo { get; private set; }

        public override void AddMethod<TRequest, TResponse>(
            Method<TRequest, TResponse> method, UnaryServerMethod<TRequest, TResponse>? handler)
        {
            Record(method, handler);
            Echo ??= handler as UnaryServerMethod<EchoRequest, EchoResponse>;
        }

        public override void AddMethod<TRequest, TResponse>(
            Method<TRequest, TResponse> method, ClientStreamingServerMethod<TRequest, TResponse>? handler) => Record(method, handler);

        public override void AddMethod<TRequest, TResponse>(
            Method<TRequest, TResponse> method, ServerStreamingServerMethod<TRequest, TResponse>? handler) => Record(method, handler);

        public override void AddMethod<TRequest, TResponse>(
            Method<TRequest, TResponse> method, DuplexStreamingServerMethod<TRequest, TResponse>? handler) => Record(method, handler);

        private void Record(IMethod method, Delegate? handler)
        {
            Bound.Add($"{method.FullName} {method.Type}");
            Handlers += handler is null ? 0 : 1;
        }
    }
}
