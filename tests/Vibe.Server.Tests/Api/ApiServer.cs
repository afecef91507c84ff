using System.Security.Cryptography;
using Grpc.Net.Client;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Vibe.Postgres.Sessions;
using Vibe.Rpc.Json;
using Vibe.Server.Auth;
using Vibe.Server.Auth.Identity;
using Vibe.Server.Auth.Tokens;
using Vibe.Server.Hosting;

namespace Vibe.Server.Tests.Api;

/// <summary>The whole server in this process: every stage of a call, over a real port. Tests keep apart by their users and collections.</summary>
internal sealed class ApiServer : IAsyncDisposable
{
    /// <summary>The app that all calls come through.</summary>
    public const string App1 = "did:web:vibe.test:apps:one";

    public const string Issuer = "http://vibe.localhost:0";

    /// <summary>How long a test waits for anything.</summary>
    public static readonly TimeSpan Bound = TimeSpan.FromSeconds(60);

    private readonly Storage _storage;
    private int _names;

    private ApiServer(Storage storage, WebApplication app, LogCapture logs)
    {
        (_storage, App, Logs) = (storage, app, logs);
        Url = new Uri(app.Urls.First());
        Http = NewHttpClient();
        Channel = GrpcChannel.ForAddress(Url.ToString());
        Json = new JsonCodec(Contracts.PublicSchema);
    }

    public WebApplication App { get; }

    public Uri Url { get; }

    public Database Database => _storage.Database;

    /// <summary>What the server logged.</summary>
    public LogCapture Logs { get; }

    /// <summary>HTTP/1.1 and HTTP/2, as each request says.</summary>
    public HttpClient Http { get; }

    public GrpcChannel Channel { get; }

    /// <summary>The JSON form of messages, with the public types.</summary>
    public JsonCodec Json { get; }

    public static async Task<ApiServer> StartAsync(DatabaseOptions database, Action<WebApplicationBuilder>? configure = null, MasterKey? masterKey = null)
    {
        var key = masterKey ?? NewMasterKey();
        var storage = new Storage(new Database(database, TimeProvider.System), key, cluster: null);
        var logs = new LogCapture();
        var options = new ServeOptions { Port = 0, Address = "127.0.0.1", DataDirectory = "" };
        var app = await VibeServer.BuildAsync(
            options,
            storage,
            builder =>
            {
                builder.Logging.ClearProviders().AddProvider(logs);
                BePatient(builder);
                configure?.Invoke(builder);
            },
            CancellationToken.None);
        await app.StartAsync();
        return new ApiServer(storage, app, logs);
    }

    /// <summary>A key of a deployment; its servers share one.</summary>
    public static MasterKey NewMasterKey() => MasterKey.Parse(Convert.ToBase64String(RandomNumberGenerator.GetBytes(32)));

    /// <summary>A client that follows nothing and keeps no cookies: tests look at every answer.</summary>
    public HttpClient NewHttpClient() =>
        new(new SocketsHttpHandler { AllowAutoRedirect = false, UseCookies = false }) { BaseAddress = Url, Timeout = Bound };

    /// <summary>A person nobody else knows, with an access token.</summary>
    public ApiUser User(string scope = "documents:*:write", string? grant = null)
    {
        var did = $"did:web:vibe.test:users:u{Interlocked.Increment(ref _names)}";
        return new ApiUser(this, did, Sign(did, scope, grant: grant));
    }

    /// <summary>Someone without a token.</summary>
    public ApiUser Visitor() => new(this, "", token: null);

    /// <summary>A collection of the test's own.</summary>
    public string Collection() => $"c{Interlocked.Increment(ref _names)}";

    /// <summary>A token as this server makes them.</summary>
    public string Sign(string did, string scope, TimeSpan? life = null, string? grant = null, string client = App1) => App.Services.GetRequiredService<TokenCodec>().Sign(new AccessToken
    {
        Subject = did,
        Client = client,
        Scope = scope,
        Grant = grant,
        ExpireTime = TimeProvider.System.GetUtcNow() + (life ?? TimeSpan.FromHours(1)),
    });

    /// <summary>Waits for a state that something outside of the test reaches.</summary>
    public static async Task EventuallyAsync(Func<Task<bool>> reached)
    {
        using var bound = new CancellationTokenSource(Bound);
        while (!await reached())
        {
            await Task.Delay(TimeSpan.FromMilliseconds(5), TimeProvider.System, bound.Token);
        }
    }

    // What the product gives up after seconds is not given up where a machine may stand still for as long.
    private static void BePatient(WebApplicationBuilder builder)
    {
        builder.Configuration["Vibe:Consistency:Patience"] = $"{Bound}";
        builder.Configuration["Vibe:Realtime:FeedPatience"] = $"{Bound}";
        builder.Configuration["Vibe:Bus:Silence"] = $"{Bound}";
        builder.Configuration["Vibe:Bus:CallTimeout"] = $"{Bound / 2}";
        builder.Services.AddSingleton(static provider => new GuardedFetcher(
            provider.GetRequiredService<AuthOptions>(), System.Net.Dns.GetHostAddressesAsync, Bound));
    }

    public async ValueTask DisposeAsync()
    {
        Channel.Dispose();
        Http.Dispose();
        await App.StopAsync().WaitAsync(Bound);
        await App.DisposeAsync();
        await _storage.DisposeAsync();
        var errors = Logs.Lines.Where(static line => line.Level >= LogLevel.Error).Select(static line => line.Text).ToList();
        Assert.True(errors.Count == 0, string.Join('\n', errors));
    }
}
