using System.Collections.Concurrent;
using Grpc.Core;
using Vibe.Rpc.Client;

namespace Grpc.Net.Client;

/// <summary>
/// The way to a server over HTTP/2. Make one per server and keep it: connections are opened when needed, shared by all calls, and
/// opened again after a failure. Thread-safe.
/// </summary>
public sealed class GrpcChannel : ChannelBase, IDisposable
{
    private readonly ConcurrentDictionary<string, MethodRoute> _routes = new(StringComparer.Ordinal);
    private readonly CancellationTokenSource _shutdown = new();
    private readonly RetryRules _retryRules;
    private readonly HttpMessageHandler? _ownedHandler;
    private int _disposed;

    private GrpcChannel(Uri address, GrpcChannelOptions options)
        : base(address.Authority)
    {
        Address = address;
        Options = options;
        IsSecure = address.Scheme == Uri.UriSchemeHttps;
        CallCredentials = ChannelSecurity.Check(this, options.Credentials);
        _retryRules = new RetryRules(options);
        var handler = options.HttpHandler ?? ClientHandler.Create(address, options);
        _ownedHandler = options.HttpHandler is null || options.DisposeHttpClient ? handler : null;
        Http = new HttpMessageInvoker(handler, disposeHandler: false);
    }

    /// <summary>The server's address.</summary>
    internal Uri Address { get; }

    internal GrpcChannelOptions Options { get; }

    internal bool IsSecure { get; }

    /// <summary>The credentials of every call, in order.</summary>
    internal IReadOnlyList<AsyncAuthInterceptor> CallCredentials { get; }

    internal HttpMessageInvoker Http { get; }

    internal RetryThrottle? Throttle => _retryRules.Throttle;

    /// <summary>Fires when the channel is disposed.</summary>
    internal CancellationToken Shutdown => _shutdown.Token;

    /// <summary>A channel to a server.</summary>
    /// <param name="address">An absolute URL: <c>http://</c> for HTTP/2 without TLS, <c>https://</c> for TLS.</param>
    public static GrpcChannel ForAddress(string address) => ForAddress(address, new GrpcChannelOptions());

    /// <summary>A channel to a server.</summary>
    /// <param name="address">An absolute URL: <c>http://</c> for HTTP/2 without TLS, <c>https://</c> for TLS.</param>
    /// <param name="channelOptions">The options.</param>
    /// <exception cref="ArgumentException">The address is not such a URL.</exception>
    /// <exception cref="InvalidOperationException">The options contradict the address or each other.</exception>
    public static GrpcChannel ForAddress(string address, GrpcChannelOptions channelOptions)
    {
        ArgumentNullException.ThrowIfNull(address);
        return Uri.TryCreate(address, UriKind.Absolute, out var url)
            ? ForAddress(url, channelOptions)
            : throw new ArgumentException($"\"{address}\" is no absolute URL.", nameof(address));
    }

    /// <summary>A channel to a server.</summary>
    /// <param name="address">An absolute URL: <c>http://</c> for HTTP/2 without TLS, <c>https://</c> for TLS.</param>
    public static GrpcChannel ForAddress(Uri address) => ForAddress(address, new GrpcChannelOptions());

    /// <summary>A channel to a server.</summary>
    /// <param name="address">An absolute URL: <c>http://</c> for HTTP/2 without TLS, <c>https://</c> for TLS.</param>
    /// <param name="channelOptions">The options.</param>
    /// <exception cref="ArgumentException">The address is not such a URL.</exception>
    /// <exception cref="InvalidOperationException">The options contradict the address or each other.</exception>
    public static GrpcChannel ForAddress(Uri address, GrpcChannelOptions channelOptions)
    {
        ArgumentNullException.ThrowIfNull(address);
        ArgumentNullException.ThrowIfNull(channelOptions);
        if (!address.IsAbsoluteUri || (address.Scheme != Uri.UriSchemeHttp && address.Scheme != Uri.UriSchemeHttps))
        {
            throw new ArgumentException($"\"{address}\" is no absolute http or https URL.", nameof(address));
        }

        return new GrpcChannel(address, channelOptions);
    }

    /// <inheritdoc/>
    public override CallInvoker CreateCallInvoker()
    {
        ThrowIfDisposed();
        return new HttpCallInvoker(this);
    }

    /// <summary>Ends the channel: calls that still run are cancelled, and new ones throw <see cref="ObjectDisposedException"/>.</summary>
    public void Dispose()
    {
        if (Interlocked.Exchange(ref _disposed, 1) != 0)
        {
            return;
        }

        // The source itself stays: calls that end later still take their registrations back.
        _shutdown.Cancel();
        Http.Dispose();
        _ownedHandler?.Dispose();
    }

    internal MethodRoute GetRoute(IMethod method) =>
        _routes.TryGetValue(method.FullName, out var route)
            ? route
            : _routes.GetOrAdd(method.FullName, new MethodRoute(Address, method, _retryRules.Find(method)));

    internal void ThrowIfDisposed() => ObjectDisposedException.ThrowIf(Volatile.Read(ref _disposed) != 0, this);

    /// <inheritdoc/>
    protected override Task ShutdownAsyncCore()
    {
        Dispose();
        return Task.CompletedTask;
    }
}
