using System.Net;
using System.Net.Sockets;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Vibe.Rpc.Hosting;
using Vibe.Options.V1;
using Vibe.Rpc.Listener;
using Vibe.Rpc.OpenApi;
using Vibe.Rpc.Validation;
using Vibe.Server.Apps;
using Vibe.Server.Auth;
using Vibe.Server.Auth.Accounts;
using Vibe.Server.Auth.Identity;
using Vibe.Server.Auth.OAuth;
using Vibe.Server.Auth.Tokens;
using Vibe.Server.Documents;
using Vibe.Server.Kernel;
using Vibe.Server.Pipeline;
using Vibe.Server.Realtime;
using Vibe.Server.Realtime.Feed;

namespace Vibe.Server.Hosting;

/// <summary>Puts the server together and runs it.</summary>
internal static class VibeServer
{
    // A batch of 8 MiB of JSON, as a Struct on the wire, with its envelope.
    private const int MaxRequestBytes = 12 * 1024 * 1024;

    /// <summary>Serves until the process is told to stop, then drains.</summary>
    /// <exception cref="Refusal">The server cannot start.</exception>
    public static async Task<int> RunAsync(ServeOptions options, CancellationToken cancellationToken)
    {
        var address = AddressOf(options);
        RefuseTakenPort(address, options.Port, "--port");
        Action<WebApplicationBuilder>? listenTls = null;
        if (options.Tls is { } tls)
        {
            if (tls.Port == options.Port)
            {
                throw new Refusal("--tls-port must be another port than --port.");
            }

            RefuseTakenPort(address, tls.Port, "--tls-port");
            var certificate = await TlsCertificate.OpenAsync(tls, TimeProvider.System, cancellationToken);
            listenTls = builder => builder.WebHost.ConfigureKestrel(kestrel => kestrel.ListenTls(address, tls.Port, certificate));
        }

        using var telemetry = Telemetry.Start();
        await using var storage = await Storage.OpenAsync(options.DataDirectory, StorageUse.Serve, cancellationToken);
        await using var app = await BuildAsync(options, storage, listenTls, cancellationToken);
        telemetry.Use(app);
        try
        {
            await app.StartAsync(cancellationToken);
        }
        catch (IOException exception)
        {
            throw new Refusal($"The server cannot listen: {exception.Message}");
        }

        Console.WriteLine($"ready: {options.PublicUrl}");
        if (options.Demo)
        {
            await Demo.FillAsync(options, storage, app.Lifetime.ApplicationStopping);
        }

        var stopped = app.WaitForShutdownAsync(cancellationToken);
        if (await Task.WhenAny(stopped, storage.Failed) == storage.Failed)
        {
            await app.StopAsync(cancellationToken);
            throw await storage.Failed;
        }

        await stopped;
        return 0;
    }

    /// <summary>Brings the installation up to date and makes the server, ready to start.</summary>
    /// <param name="options">How to serve.</param>
    /// <param name="storage">The installation; the caller closes it after the server.</param>
    /// <param name="configure">Changes settings, ports and where logs go, before the features read them.</param>
    /// <param name="cancellationToken">Stops waiting.</param>
    /// <exception cref="Refusal">The installation cannot be brought up to date.</exception>
    internal static async Task<WebApplication> BuildAsync(
        ServeOptions options, Storage storage, Action<WebApplicationBuilder>? configure, CancellationToken cancellationToken)
    {
        await storage.MigrateAsync(cancellationToken);
        var auth = new AuthOptions { Issuer = options.PublicUrl };
        await ServerIdentity.WriteAsync(storage.Database, auth.Issuer, cancellationToken);
        var keys = await SigningKeys.LoadAsync(storage.Database, storage.MasterKey, cancellationToken);
        return Build(options, storage, auth, keys, configure);
    }

    private static WebApplication Build(
        ServeOptions options, Storage storage, AuthOptions auth, SigningKeys keys, Action<WebApplicationBuilder>? configure)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.ConfigureLogging();
        configure?.Invoke(builder);
        builder.WebHost.ConfigureKestrel(kestrel => Listen(kestrel.ConfigureRpcLimits(), options));

        var services = builder.Services;
        services.TryAddSingleton(TimeProvider.System);
        services.AddSingleton(storage.Database);
        services.AddSingleton(Contracts.PublicSchema);
        services.AddSingleton(new PageTokens(storage.MasterKey.Derive("page token"), TimeProvider.System));
        services.AddSingleton(new ConsistencyTokens(storage.MasterKey.Derive("consistency token")));
        services.AddSharedListener();
        // Every origin: the credential is a bearer token in a header, never a cookie, so a foreign page has nothing to borrow.
        services.AddGrpcCors();
        services.AddGrpcReflection();
        services.AddGrpcHealthChecks().AddCheck<DatabaseHealth>("database");
        services.AddCallPipeline(auth, keys);
        services.AddOAuth(storage.MasterKey);
        services.Configure<ValidationOptions>(validation => validation.Domain = VibeError.Domain);
        services.AddSingleton(new FeedCursors(storage.MasterKey.Derive("feed cursor")));
        services.AddDocuments();
        services.AddRealtime();
        services.AddAccounts(options.DataDirectory);
        services.AddApps();
        services.AddIdentity(storage.MasterKey);
        services.AddHostedService<Sweeper>();
        services.AddGrpc(grpc =>
        {
            grpc.MaxReceiveMessageSize = MaxRequestBytes;
            grpc.Interceptors.Add<CallPipeline>();
            grpc.Interceptors.Add<ValidationInterceptor>();
        });

        var app = builder.Build();
        app.UseTrustedProxies();
        app.UseCors(GrpcCorsExtensions.PolicyName);
        app.MapDocuments();
        app.MapRealtime();
        app.MapAccounts();
        app.MapApps();
        app.MapOAuth();
        app.MapIdentity();
        app.MapGrpcReflectionService();
        app.MapGrpcHealthChecksService();
        app.MapHealthEndpoints();
        app.MapOpenApi(configure: DescribeApi);
        app.MapApiReference();
        app.MapGet("/", () => Results.Redirect("/docs"));
        return app;
    }

    private static void DescribeApi(OpenApiOptions options)
    {
        options.Title = "Vibe";
        options.Description = "Documents with access rules. The same calls work over gRPC, gRPC-Web and Connect.";
        options.RequiresToken = static method => method.GetOptions()?.GetExtension(OptionsExtensions.Method)?.Permission is Permission.Public ? null : true;
    }

    private static void Listen(KestrelServerOptions kestrel, ServeOptions options)
    {
        if (AddressOf(options) is { } address)
        {
            kestrel.ListenShared(address, options.Port);
        }
        else
        {
            kestrel.ListenSharedLocalhost(options.Port);
        }
    }

    private static IPAddress? AddressOf(ServeOptions options) => options.Address is null ? null
        : IPAddress.TryParse(options.Address, out var given) ? given
        : throw new Refusal($"--address {options.Address} is not an IP address.");

    // Before the database is started for nothing. Someone may still take the port in between; Kestrel says so then.
    private static void RefuseTakenPort(IPAddress? given, int port, string option)
    {
        var address = given ?? IPAddress.Loopback;
        try
        {
            using var probe = new Socket(address.AddressFamily, SocketType.Stream, ProtocolType.Tcp);
            probe.SetSocketOption(SocketOptionLevel.Socket, SocketOptionName.ReuseAddress, true);
            probe.Bind(new IPEndPoint(address, port));
            probe.Listen();
        }
        catch (SocketException exception) when (exception.SocketErrorCode == SocketError.AddressAlreadyInUse)
        {
            throw new Refusal($"Port {port} is in use: stop the program that listens there, or choose another with {option}.");
        }
        catch (SocketException exception) when (exception.SocketErrorCode == SocketError.AccessDenied)
        {
            throw new Refusal($"Port {port} needs more rights: choose one above 1023 with {option}.");
        }
        catch (SocketException exception)
        {
            throw new Refusal($"The server cannot listen on {address}: {exception.Message}.");
        }
    }
}
