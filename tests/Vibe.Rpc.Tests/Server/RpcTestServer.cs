using System.Diagnostics.Metrics;
using System.Net;
using Grpc.AspNetCore.Server;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Vibe.Rpc.Hosting;
using Vibe.RpcTest.V1;

namespace Vibe.Rpc.Tests.Server;

/// <summary>The test service over Kestrel on loopback: one port for HTTP/1.1, one for HTTP/2.</summary>
internal sealed class RpcTestServer : IAsyncDisposable
{
    private readonly WebApplication _app;
    private readonly ErrorLog _errors;
    private readonly SocketsHttpHandler _handler = new() { EnableMultipleHttp2Connections = false };

    private RpcTestServer(WebApplication app, ErrorLog errors)
    {
        _app = app;
        _errors = errors;
        var addresses = app.Services.GetRequiredService<IServer>().Features.GetRequiredFeature<IServerAddressesFeature>().Addresses.ToList();
        Http1 = new(addresses[0]);
        Http2 = new(addresses[1]);
        Client = new(_handler);
        Watch = new(app.Services.GetRequiredService<IMeterFactory>());
    }

    /// <summary>The calls in progress.</summary>
    public CallWatch Watch { get; }

    public Uri Http1 { get; }

    public Uri Http2 { get; }

    public HttpClient Client { get; }

    public RpcTestServiceImpl Service => _app.Services.GetRequiredService<RpcTestServiceImpl>();

    public IServiceProvider Services => _app.Services;

    public static async Task<RpcTestServer> StartAsync(
        Action<GrpcServiceOptions>? options = null,
        Action<IServiceCollection>? services = null,
        Action<WebApplication>? map = null,
        RpcServerLimits? limits = null)
    {
        var builder = WebApplication.CreateSlimBuilder();
        var errors = new ErrorLog();
        builder.Logging.ClearProviders().AddProvider(errors);
        builder.WebHost.ConfigureKestrel(kestrel =>
        {
            kestrel.ConfigureRpcLimits(limits);
            kestrel.Listen(IPAddress.Loopback, 0, listen => listen.Protocols = HttpProtocols.Http1);
            kestrel.Listen(IPAddress.Loopback, 0, listen => listen.Protocols = HttpProtocols.Http2);
        });
        if (limits is not null)
        {
            builder.Services.Configure<RpcServerLimits>(configured =>
            {
                configured.WriteTimeout = limits.WriteTimeout;
                configured.DrainTimeout = limits.DrainTimeout;
            });
        }

        builder.Services.AddGrpc(options);
        services?.Invoke(builder.Services);
        builder.Services.TryAddSingleton<RpcTestServiceImpl>();
        var app = builder.Build();
        if (map is null)
        {
            app.MapGrpcService<RpcTestServiceImpl>();
        }
        else
        {
            map(app);
        }

        await app.StartAsync();
        return new(app, errors);
    }

    /// <summary>Takes the errors that the test expects to have been logged.</summary>
    public List<string> TakeErrors() => _errors.Take();

    public Task StopAsync(CancellationToken cancellationToken) => _app.StopAsync(cancellationToken);

    public async ValueTask DisposeAsync()
    {
        Client.Dispose();
        Watch.Dispose();
        await _app.DisposeAsync();
        if (_errors.Take() is { Count: > 0 } errors)
        {
            Assert.Fail(string.Join(Environment.NewLine, errors));
        }
    }
}
