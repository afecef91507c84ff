using System.Net;
using Grpc.AspNetCore.Server;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Vibe.Rpc.Rest;

namespace Vibe.Rpc.Tests.Rest;

/// <summary>A server with the test service on Kestrel.</summary>
internal sealed class RestHost : IAsyncDisposable
{
    private readonly WebApplication _app;

    private RestHost(WebApplication app)
    {
        _app = app;
        Address = new Uri(app.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.First());
        Client = new() { BaseAddress = Address, Timeout = TimeSpan.FromSeconds(60) };
    }

    public Uri Address { get; }

    public HttpClient Client { get; }

    public RestEvents Events => _app.Services.GetRequiredService<RestEvents>();

    public static async Task<RestHost> StartAsync(
        Action<GrpcServiceOptions>? options = null,
        Action<RestOptions>? rest = null,
        TimeProvider? clock = null,
        Action<WebApplication>? map = null,
        HttpProtocols protocols = HttpProtocols.Http1)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.ConfigureKestrel(kestrel => kestrel.Listen(IPAddress.Loopback, 0, listen => listen.Protocols = protocols));
        builder.Services.AddSingleton(clock ?? TimeProvider.System);
        builder.Services.AddSingleton<RestEvents>();
        builder.Services.AddCors();
        builder.Services.AddGrpc(options);
        if (rest is not null)
        {
            builder.Services.Configure(rest);
        }

        var app = builder.Build();
        if (map is null)
        {
            app.MapGrpcService<RestTestService>();
        }
        else
        {
            map(app);
        }

        await app.StartAsync();
        return new(app);
    }

    public async ValueTask DisposeAsync()
    {
        Client.Dispose();
        await _app.DisposeAsync();
    }
}
