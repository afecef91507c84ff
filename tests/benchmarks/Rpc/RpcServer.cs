using System.Globalization;
using Vibe.Rpc.Hosting;
using Vibe.Rpc.Listener;
using Vibe.RpcTest.V1;

namespace Vibe.Benchmarks.Rpc;

/// <summary>The echo service on Vibe.Rpc: every protocol on one port.</summary>
internal static class RpcServer
{
    /// <summary>Serves until the process is told to end.</summary>
    public static async Task RunAsync(string port)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.ConfigureKestrel(kestrel => kestrel.ConfigureRpcLimits().ListenSharedLocalhost(int.Parse(port, CultureInfo.InvariantCulture)));
        builder.Services.AddSharedListener();
        builder.Services.AddSingleton(TimeProvider.System);
        builder.Services.AddSingleton<RpcTestServiceImpl>();
        builder.Services.AddGrpc();
        await using var app = builder.Build();
        app.MapGrpcService<RpcTestServiceImpl>();
        await app.StartAsync();
        Console.WriteLine("ready");
        await app.WaitForShutdownAsync();
    }
}
