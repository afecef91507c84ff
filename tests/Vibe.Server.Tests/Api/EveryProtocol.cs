using System.Buffers;
using System.Net;
using Google.Protobuf;
using Grpc.Core;
using Vibe.Documents.V1;
using Vibe.Rpc;

namespace Vibe.Server.Tests.Api;

/// <summary>Sends a call that must fail in each protocol.</summary>
internal static class EveryProtocol
{
    private static readonly Marshaller<byte[]> Bytes = new(static bytes => bytes, static bytes => bytes);

    public static async Task<IReadOnlyDictionary<string, WireFailure>> FailAsync(this ApiServer server, ApiUser user, ApiCall call) =>
        new Dictionary<string, WireFailure>
        {
            ["REST"] = await RestAsync(server, user, call),
            ["Connect"] = await ConnectAsync(server, user, call),
            ["gRPC"] = call.IsText ? await GrpcTextAsync(server, user, call) : await GrpcAsync(server, user, call.Method, MessageOf(server, call)),
            ["gRPC-Web"] = await GrpcWebAsync(
                server, user, call.Method, call.IsText ? call.Message : MessageOf(server, call), call.IsText ? "json" : "proto"),
        };

    /// <summary>The same for bytes of a message that JSON cannot say.</summary>
    public static async Task<IReadOnlyDictionary<string, WireFailure>> FailAsync(this ApiServer server, ApiUser user, string method, byte[] message) =>
        new Dictionary<string, WireFailure>
        {
            ["Connect"] = await ConnectAsync(server, user, method, message, "application/proto"),
            ["gRPC"] = await GrpcAsync(server, user, method, message),
            ["gRPC-Web"] = await GrpcWebAsync(server, user, method, message, "proto"),
        };

    private static byte[] MessageOf(ApiServer server, ApiCall call)
    {
        var type = DocumentsService.Descriptor.FindMethodByName(call.Method).InputType;
        var message = (IMessage)Activator.CreateInstance(type.ClrType)!;
        server.Json.Merge(new ReadOnlySequence<byte>(call.Message), message);
        return message.ToByteArray();
    }

    private static async Task<WireFailure> RestAsync(ApiServer server, ApiUser user, ApiCall call)
    {
        using var request = user.Request(call.Verb, call.Path, call.Body, "application/json");
        using var response = await server.Http.SendAsync(request);
        return WireFailure.OfRest(response.StatusCode, await response.Content.ReadAsStringAsync());
    }

    private static Task<WireFailure> ConnectAsync(ApiServer server, ApiUser user, ApiCall call) =>
        ConnectAsync(server, user, call.Method, call.Message, "application/json");

    private static async Task<WireFailure> ConnectAsync(ApiServer server, ApiUser user, string method, byte[] message, string contentType)
    {
        using var request = user.Request(HttpMethod.Post, PathOf(method), message, contentType);
        request.Headers.Add("connect-protocol-version", "1");
        using var response = await server.Http.SendAsync(request);
        return WireFailure.OfConnect(response.StatusCode, await response.Content.ReadAsStringAsync());
    }

    private static async Task<WireFailure> GrpcAsync(ApiServer server, ApiUser user, string method, byte[] message)
    {
        var rpc = new Method<byte[], byte[]>(MethodType.Unary, DocumentsService.Descriptor.FullName, method, Bytes, Bytes);
        var options = new CallOptions(user.Metadata, TimeProvider.System.GetUtcNow().UtcDateTime + ApiServer.Bound);
        using var call = server.Channel.CreateCallInvoker().AsyncUnaryCall(rpc, null, options, message);
        var exception = await Assert.ThrowsAsync<RpcException>(async () => await call);
        Assert.Equal(exception.Status.Detail, exception.GetRpcStatus()!.Message);
        return new WireFailure(exception.StatusCode, exception.GetRpcStatus()!);
    }

    private static async Task<WireFailure> GrpcTextAsync(ApiServer server, ApiUser user, ApiCall call)
    {
        using var request = user.Request(HttpMethod.Post, PathOf(call.Method), WireFailure.Frame(call.Message), "application/grpc+json");
        request.Version = HttpVersion.Version20;
        request.VersionPolicy = HttpVersionPolicy.RequestVersionExact;
        request.Headers.Add("te", "trailers");
        using var response = await server.Http.SendAsync(request);
        await response.Content.LoadIntoBufferAsync();
        return WireFailure.OfTrailers(response.Headers.Concat(response.TrailingHeaders)
            .SelectMany(static header => header.Value, static (header, value) => KeyValuePair.Create(header.Key, value)));
    }

    private static async Task<WireFailure> GrpcWebAsync(ApiServer server, ApiUser user, string method, byte[] message, string codec)
    {
        using var request = user.Request(HttpMethod.Post, PathOf(method), WireFailure.Frame(message), $"application/grpc-web+{codec}");
        using var response = await server.Http.SendAsync(request);
        var body = await response.Content.ReadAsByteArrayAsync();
        return WireFailure.OfTrailers(body.Length > 0
            ? WireFailure.TrailersOf(body)
            : response.Headers.SelectMany(static header => header.Value, static (header, value) => KeyValuePair.Create(header.Key, value)));
    }

    private static string PathOf(string method) => $"/{DocumentsService.Descriptor.FullName}/{method}";
}
