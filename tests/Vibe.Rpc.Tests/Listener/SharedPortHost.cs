using System.Net;
using System.Net.Sockets;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Vibe.Rpc.Listener;
using Vibe.Rpc.Tests.Server;

namespace Vibe.Rpc.Tests.Listener;

/// <summary>A server with a shared port; every path answers with the protocol the request came by.</summary>
internal sealed class SharedPortHost : IAsyncDisposable
{
    public static readonly TimeSpan Bound = TimeSpan.FromSeconds(60);

    private readonly ErrorLog _errors;

    private SharedPortHost(WebApplication app, ErrorLog errors) => (App, _errors) = (app, errors);

    public WebApplication App { get; }

    public ICollection<string> Addresses => App.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses;

    public int Port => new Uri(Addresses.First()).Port;

    public SharedPort Shared => App.Services.GetServices<IConnectionListenerFactory>().OfType<SharedListenerFactory>().Single().Ports.Single();

    public static async Task<SharedPortHost> StartAsync(
        Action<KestrelServerOptions>? listen = null,
        Action<SharedListenerOptions>? limits = null,
        TimeProvider? clock = null,
        Action<IServiceCollection>? services = null,
        Action<WebApplication>? map = null)
    {
        var builder = WebApplication.CreateSlimBuilder();
        var errors = new ErrorLog();
        builder.Logging.ClearProviders().AddProvider(errors);
        if (clock is not null)
        {
            builder.Services.AddSingleton(clock);
        }

        builder.Services.AddSharedListener(limits);
        services?.Invoke(builder.Services);
        builder.WebHost.ConfigureKestrel(listen ?? (options => options.ListenShared(IPAddress.Loopback, 0)));
        var app = builder.Build();
        map?.Invoke(app);
        app.MapFallback((HttpContext http) => http.Request.Protocol);
        try
        {
            await app.StartAsync();
        }
        catch
        {
            await app.DisposeAsync();
            throw;
        }

        return new SharedPortHost(app, errors);
    }

    public async Task<Socket> ConnectAsync()
    {
        var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        await socket.ConnectAsync(IPAddress.Loopback, Port);
        return socket;
    }

    public async Task<string> GetAsync(HttpClient client, Version version, string? authority = null)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, $"http://{authority ?? $"127.0.0.1:{Port}"}/")
        {
            Version = version,
            VersionPolicy = HttpVersionPolicy.RequestVersionExact,
        };
        using var response = await client.SendAsync(request).WaitAsync(Bound);
        return await response.EnsureSuccessStatusCode().Content.ReadAsStringAsync();
    }

    public async ValueTask DisposeAsync()
    {
        await App.StopAsync().WaitAsync(Bound);
        await App.DisposeAsync();
        Assert.Empty(_errors.Take());
    }

    /// <summary>Waits, bounded, for a state that a background task of the server reaches.</summary>
    public static async Task EventuallyAsync(Func<bool> reached)
    {
        using var bound = new CancellationTokenSource(Bound);
        while (!reached())
        {
            await Task.Delay(TimeSpan.FromMilliseconds(5), TimeProvider.System, bound.Token);
        }
    }
}

internal static class SocketReading
{
    /// <summary>True when the server ends the connection, politely or with a reset.</summary>
    public static async Task<bool> IsClosedByServerAsync(this Socket socket)
    {
        var buffer = new byte[256];
        try
        {
            while (await socket.ReceiveAsync(buffer).WaitAsync(SharedPortHost.Bound) > 0)
            {
            }

            return true;
        }
        catch (SocketException exception) when (exception.SocketErrorCode is SocketError.ConnectionReset or SocketError.ConnectionAborted)
        {
            return true;
        }
    }

    public static async Task<byte[]> ReadAsync(this Socket socket, int count)
    {
        var buffer = new byte[count];
        for (var filled = 0; filled < count;)
        {
            var read = await socket.ReceiveAsync(buffer.AsMemory(filled)).AsTask().WaitAsync(SharedPortHost.Bound);
            Assert.NotEqual(0, read);
            filled += read;
        }

        return buffer;
    }
}
