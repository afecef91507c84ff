using Grpc.Core;
using Grpc.Net.Client;
using Microsoft.Extensions.Logging;
using Vibe.Client.Auth;
using Vibe.Rpc.Client;

namespace Vibe.Client.Calls;

/// <summary>What all clients of one server share: the way to it, and what its provider says of itself.</summary>
internal sealed class Connection : IDisposable
{
    // A connection that is dead is noticed before its streams are: a new stream on it would be as silent.
    private static readonly GrpcChannelOptions KeepAlive = new()
    {
        KeepAlivePingDelay = TimeSpan.FromSeconds(20), KeepAlivePingTimeout = TimeSpan.FromSeconds(15),
    };

    private readonly GrpcChannel _channel;
    private readonly HttpMessageHandler? _ownedHandler;
    private readonly HttpClient _http;

    public Connection(VibeOptions options)
    {
        Options = options;
        Url = new Uri(options.Url.TrimEnd('/'));
        Log = options.LoggerFactory.CreateLogger("Vibe.Client");

        // Also for OAuth: it knows names under localhost, which not every resolver does.
        _ownedHandler = options.HttpHandler is null ? ClientHandler.Create(Url, KeepAlive) : null;
        var handler = options.HttpHandler ?? _ownedHandler!;
        _channel = GrpcChannel.ForAddress(Url, new GrpcChannelOptions
        {
            HttpHandler = handler,
            MaxReceiveMessageSize = null,
            ThrowOperationCanceledOnCancellation = true,
            TimeProvider = options.TimeProvider,
        });
        Invoker = _channel.CreateCallInvoker();
        _http = new HttpClient(handler, disposeHandler: false) { Timeout = options.Timeout };
        Provider = new OAuthProvider(Url, _http, options.TimeProvider);
    }

    public VibeOptions Options { get; }

    /// <summary>The server's URL, without a slash at its end.</summary>
    public Uri Url { get; }

    public ILogger Log { get; }

    public TimeProvider Time => Options.TimeProvider;

    /// <summary>Makes calls as they are, without credentials or retries.</summary>
    public CallInvoker Invoker { get; }

    public OAuthProvider Provider { get; }

    public void Dispose()
    {
        _channel.Dispose();
        _http.Dispose();
        _ownedHandler?.Dispose();
    }
}
