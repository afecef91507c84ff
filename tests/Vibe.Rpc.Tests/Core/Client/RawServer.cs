using System.Buffers.Binary;
using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Google.Protobuf;
using Grpc.Core;
using Grpc.Net.Client;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Vibe.RpcTest.V1;

namespace Vibe.Rpc.Tests.Core.Client;

/// <summary>An HTTP/2 server that answers with whatever bytes a test wants: it knows nothing of gRPC.</summary>
internal sealed class RawServer : IAsyncDisposable
{
    private readonly WebApplication _application;

    private RawServer(WebApplication application) => _application = application;

    public string Url => _application.Urls.Single();

    public int Port => new Uri(Url).Port;

    public static async Task<RawServer> StartAsync(RequestDelegate answer, int port = 0, bool tls = false)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseKestrelHttpsConfiguration();
        builder.WebHost.ConfigureKestrel(options => options.Listen(IPAddress.Loopback, port, listen =>
        {
            listen.Protocols = HttpProtocols.Http2;
            if (tls)
            {
                listen.UseHttps(NewCertificate());
            }
        }));
        var application = builder.Build();
        application.Run(answer);
        await application.StartAsync();
        return new RawServer(application);
    }

    public GrpcChannel Channel(Action<GrpcChannelOptions>? configure = null)
    {
        var options = new GrpcChannelOptions();
        configure?.Invoke(options);
        return GrpcChannel.ForAddress(Url, options);
    }

    public RpcTestService.RpcTestServiceClient Client(Action<GrpcChannelOptions>? configure = null) => new(Channel(configure));

    /// <summary>A unary call fails with this code, and says this.</summary>
    public async Task FailsAsync(StatusCode code, string detail)
    {
        var exception = await Assert.ThrowsAsync<RpcException>(async () => await Client().EchoAsync(new() { Name = "ping" }));
        Assert.Equal(code, exception.StatusCode);
        Assert.Contains(detail, exception.Status.Detail, StringComparison.Ordinal);
    }

    public async ValueTask DisposeAsync() => await _application.DisposeAsync();

    private static X509Certificate2 NewCertificate()
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("CN=localhost", key, HashAlgorithmName.SHA256);
        var now = TimeProvider.System.GetUtcNow();
        return request.CreateSelfSigned(now.AddDays(-1), now.AddDays(1));
    }
}

/// <summary>The gRPC wire, written by hand.</summary>
internal static class RawGrpc
{
    public static byte[] Frame(IMessage message, byte flags = 0) => Frame(message.ToByteArray(), flags);

    public static byte[] Frame(byte[] payload, byte flags = 0, uint? announced = null)
    {
        var frame = new byte[5 + payload.Length];
        frame[0] = flags;
        BinaryPrimitives.WriteUInt32BigEndian(frame.AsSpan(1), announced ?? (uint)payload.Length);
        payload.CopyTo(frame, 5);
        return frame;
    }

    /// <summary>Sends the response metadata now.</summary>
    public static Task StartAsync(this HttpContext context)
    {
        context.Response.ContentType = "application/grpc";
        return context.Response.Body.FlushAsync();
    }

    public static async Task SendAsync(this HttpContext context, byte[] bytes)
    {
        if (!context.Response.HasStarted)
        {
            context.Response.ContentType = "application/grpc";
        }

        await context.Response.Body.WriteAsync(bytes);
        await context.Response.Body.FlushAsync();
    }

    public static void End(this HttpContext context, int status = 0, string? message = null)
    {
        context.Response.AppendTrailer("grpc-status", $"{status}");
        if (message is not null)
        {
            context.Response.AppendTrailer("grpc-message", message);
        }
    }

    /// <summary>Ends the call in the headers.</summary>
    public static void EndAtOnce(this HttpContext context, int status, string? message = null)
    {
        context.Response.ContentType = "application/grpc";
        context.Response.Headers["grpc-status"] = $"{status}";
        if (message is not null)
        {
            context.Response.Headers["grpc-message"] = message;
        }
    }

    public static void Reset(this HttpContext context, int code) => context.Features.GetRequiredFeature<IHttpResetFeature>().Reset(code);

    /// <summary>Reads one message; null at the end of the request.</summary>
    public static async Task<(byte Flags, byte[] Payload)?> ReadAsync(this HttpContext context)
    {
        var header = new byte[5];
        if (await context.Request.Body.ReadAtLeastAsync(header, 5, throwOnEndOfStream: false) < 5)
        {
            return null;
        }

        var payload = new byte[BinaryPrimitives.ReadUInt32BigEndian(header.AsSpan(1))];
        await context.Request.Body.ReadExactlyAsync(payload);
        return (header[0], payload);
    }

    /// <summary>Waits until the client went away.</summary>
    public static async Task UntilAbortedAsync(this HttpContext context)
    {
        var aborted = new TaskCompletionSource();
        await using var registration = context.RequestAborted.Register(aborted.SetResult);
        await aborted.Task;
    }
}
