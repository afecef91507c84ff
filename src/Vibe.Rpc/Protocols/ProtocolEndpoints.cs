using System.Buffers;
using Grpc.Core;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Vibe.Rpc.Calls;
using Vibe.Rpc.Hosting;

namespace Vibe.Rpc.Protocols;

/// <summary>Maps <c>/package.Service/Method</c> and lets the content type choose among gRPC, gRPC-Web and Connect.</summary>
internal sealed class ProtocolEndpoints : IRpcEndpointSource
{
    private const string Envelopes = "application/grpc, application/grpc+json, application/grpc-web, application/grpc-web+json, application/grpc-web-text";
    private const string AcceptPostUnary = Envelopes + ", application/proto, application/json";
    private const string AcceptPostStream = Envelopes + ", application/connect+proto, application/connect+json";

    private static readonly SearchValues<char> Unusual = SearchValues.Create(" ;ABCDEFGHIJKLMNOPQRSTUVWXYZ");

    public IEnumerable<IEndpointConventionBuilder> Map(IEndpointRouteBuilder endpoints, RpcMethod method)
    {
        var byGet = method is { HasNoSideEffects: true, Type: MethodType.Unary };
        yield return endpoints
            .Map(method.FullName, http => RunAsync(http, method))
            .WithDisplayName($"RPC {method.FullName}")
            .WithMetadata(new HttpMethodMetadata(byGet ? [HttpMethods.Post, HttpMethods.Get] : [HttpMethods.Post], acceptCorsPreflight: true));
    }

    private static Task RunAsync(HttpContext http, RpcMethod method)
    {
        // Routing ignores case and a slash at the end; the protocols do not.
        if (http.Request.Path.Value != method.FullName)
        {
            http.Response.StatusCode = StatusCodes.Status404NotFound;
            return Task.CompletedTask;
        }

        var call = HttpMethods.IsGet(http.Request.Method) ? SelectGet(http, method) : SelectPost(http, method);
        if (call is GrpcCall and not GrpcWebCall && !CarriesTrailers(http.Request.Protocol))
        {
            http.Response.StatusCode = StatusCodes.Status426UpgradeRequired;
            http.Response.Headers.Upgrade = "HTTP/2";
            return Task.CompletedTask;
        }

        if (call is not null)
        {
            return call.RunAsync();
        }

        http.Response.StatusCode = StatusCodes.Status415UnsupportedMediaType;
        http.Response.Headers["Accept-Post"] = method.Type == MethodType.Unary ? AcceptPostUnary : AcceptPostStream;
        return Task.CompletedTask;
    }

    private static ConnectGetCall? SelectGet(HttpContext http, RpcMethod method) => http.Request.Query["encoding"].ToString() switch
    {
        "proto" => new ConnectGetCall(http, method, MessageCodec.Proto, "application/proto"),
        "json" => new ConnectGetCall(http, method, method.Server.JsonMessages, "application/json"),
        _ => null,
    };

    private static RpcCall? SelectPost(HttpContext http, RpcMethod method)
    {
        var json = method.Server.JsonMessages;
        var unary = method.Type == MethodType.Unary;
        return MediaType(http.Request.ContentType) switch
        {
            "application/grpc" => new GrpcCall(http, method, MessageCodec.Proto, "application/grpc"),
            "application/grpc+proto" => new GrpcCall(http, method, MessageCodec.Proto, "application/grpc+proto"),
            "application/grpc+json" => new GrpcCall(http, method, json, "application/grpc+json"),
            "application/grpc-web" => new GrpcWebCall(http, method, MessageCodec.Proto, "application/grpc-web"),
            "application/grpc-web+proto" => new GrpcWebCall(http, method, MessageCodec.Proto, "application/grpc-web+proto"),
            "application/grpc-web+json" => new GrpcWebCall(http, method, json, "application/grpc-web+json"),
            "application/grpc-web-text" => new GrpcWebTextCall(http, method, MessageCodec.Proto, "application/grpc-web-text"),
            "application/grpc-web-text+proto" => new GrpcWebTextCall(http, method, MessageCodec.Proto, "application/grpc-web-text+proto"),
            "application/connect+proto" when !unary => new ConnectStreamCall(http, method, MessageCodec.Proto, "application/connect+proto"),
            "application/connect+json" when !unary => new ConnectStreamCall(http, method, json, "application/connect+json"),
            "application/proto" when unary => new ConnectUnaryCall(http, method, MessageCodec.Proto, "application/proto"),
            "application/json" when unary => new ConnectUnaryCall(http, method, json, "application/json"),
            _ => null,
        };
    }

    private static bool CarriesTrailers(string protocol) => HttpProtocol.IsHttp2(protocol) || HttpProtocol.IsHttp3(protocol);

    private static string MediaType(string? contentType)
    {
        // The usual spellings come without parameters and in lower case: no allocation for them.
        if (contentType is null || !contentType.AsSpan().ContainsAny(Unusual))
        {
            return contentType ?? "";
        }

        var semicolon = contentType.IndexOf(';', StringComparison.Ordinal);
        return (semicolon < 0 ? contentType : contentType[..semicolon]).Trim().ToLowerInvariant();
    }
}
