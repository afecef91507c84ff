using System.Text.Json;
using System.Text.Json.Nodes;
using Grpc.Core;
using Vibe.Apps.V1;
using Vibe.Auth.V1;
using Vibe.Client.Auth;
using Vibe.Client.Calls;
using Vibe.Client.Documents;
using Vibe.Documents.V1;
using Vibe.Realtime.V1;

namespace Vibe.Client;

/// <summary>
/// A client of Vibe: documents, live queries and channels. It connects when it is first used. Make one for each caller and keep it; it is thread-safe.
/// </summary>
public sealed class VibeClient : IDisposable
{
    private readonly UserTokens? _user;
    private readonly bool _ownsConnection;

    /// <summary>A client.</summary>
    /// <param name="options">How it reaches its server, and who it calls as.</param>
    /// <exception cref="ArgumentException">The options contradict each other.</exception>
    public VibeClient(VibeOptions options)
        : this(VibeOptions.Checked(options), owner: null, options.Credentials)
    {
    }

    /// <summary>A client of a signed-out visitor.</summary>
    /// <param name="url">The server's URL.</param>
    public VibeClient(string url)
        : this(new VibeOptions { Url = url })
    {
    }

    private VibeClient(VibeOptions options, VibeClient? owner, VibeCredentials? credentials)
    {
        _ownsConnection = owner is null;
        Connection = owner?.Connection ?? new Connection(options);
        Writes = new Writes(options.Json);
        _user = credentials is null ? new UserTokens(Connection) : null;
        Invoker = new VibeCallInvoker(Connection, _user ?? credentials!.Open(Connection));
        Documents = new(Invoker);
        Realtime = new(Invoker);
        Apps = new(Invoker);
        Auth = new(Invoker);
        Accounts = new(Invoker);
        Certificates = new(Invoker);
    }

    /// <summary>The documents API as the contract has it.</summary>
    public DocumentsService.DocumentsServiceClient Documents { get; }

    /// <summary>The realtime API as the contract has it, channels included.</summary>
    public RealtimeService.RealtimeServiceClient Realtime { get; }

    /// <summary>The apps API as the contract has it.</summary>
    public AppsService.AppsServiceClient Apps { get; }

    /// <summary>The tokens API as the contract has it; signing in does not need it.</summary>
    public AuthService.AuthServiceClient Auth { get; }

    /// <summary>The API of people's accounts as the contract has it.</summary>
    public AccountService.AccountServiceClient Accounts { get; }

    /// <summary>The certificates API as the contract has it.</summary>
    public CertificatesService.CertificatesServiceClient Certificates { get; }

    /// <summary>Makes this client's calls: with its token and its retries, failing with <see cref="VibeException"/>.</summary>
    public CallInvoker CallInvoker => Invoker;

    internal Connection Connection { get; }

    internal VibeCallInvoker Invoker { get; }

    internal Writes Writes { get; }

    internal JsonSerializerOptions Json => Writes.Json;

    /// <summary>The same connection as somebody else, for example as the user of a request that is being served.</summary>
    /// <param name="credentials">Who calls.</param>
    /// <returns>A client that ends with this one, and that need not be disposed.</returns>
    public VibeClient As(VibeCredentials credentials)
    {
        ArgumentNullException.ThrowIfNull(credentials);
        if (credentials.NeedsApp && string.IsNullOrEmpty(Connection.Options.App))
        {
            throw new ArgumentException("An app that acts as itself needs VibeOptions.App, its DID.", nameof(credentials));
        }

        return new VibeClient(Connection.Options, this, credentials);
    }

    /// <summary>The documents of one kind.</summary>
    /// <typeparam name="T">What their bodies are: a class or record that <see cref="VibeOptions.Json"/> reads and writes.</typeparam>
    /// <param name="name">The collection.</param>
    public Collection<T> Collection<T>(string name)
        where T : class
    {
        ArgumentException.ThrowIfNullOrEmpty(name);
        return new(this, name);
    }

    /// <summary>The documents of one kind, as JSON.</summary>
    /// <param name="name">The collection.</param>
    public Collection<JsonObject> Collection(string name) => Collection<JsonObject>(name);

    /// <summary>Makes several writes in one transaction: all or none. They happen once, however often they have to be sent.</summary>
    /// <param name="fill">Says which.</param>
    /// <param name="cancellationToken">Cancels the call; whether they were made is then not known.</param>
    /// <returns>The documents as stored, one for each write, in order; a deleted one has no data.</returns>
    /// <exception cref="VibeException">As of single writes; <c>index</c> in the metadata tells which.</exception>
    public async Task<IReadOnlyList<Document<JsonObject>>> BatchAsync(Action<VibeBatch> fill, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(fill);
        var batch = new VibeBatch(Writes);
        fill(batch);
        var answer = await Documents.BatchWriteDocumentsAsync(batch.Request, new CallOptions(cancellationToken: cancellationToken)).ConfigureAwait(false);
        return [.. answer.Documents.Select(document => new Document<JsonObject>(document, Json))];
    }

    /// <summary>Joins a channel: <c>document:&lt;id&gt;</c> for whoever may read the document, <c>app:&lt;name&gt;</c> for the users of the app.</summary>
    /// <typeparam name="TState">What members say of themselves.</typeparam>
    /// <typeparam name="TMessage">What they send.</typeparam>
    /// <param name="channel">The channel.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    /// <exception cref="VibeException">CHANNEL_NOT_FOUND, CHANNEL_LIMIT_REACHED.</exception>
    public Task<VibeChannel<TState, TMessage>> JoinAsync<TState, TMessage>(string channel, CancellationToken cancellationToken = default)
        where TState : class
        where TMessage : class =>
        VibeChannel<TState, TMessage>.JoinAsync(this, channel, cancellationToken);

    /// <summary>
    /// Signs somebody in with the browser of this device: authorization code with PKCE, back over a loopback address (RFC 8252). Credentials are typed on
    /// the server's pages only.
    /// </summary>
    /// <param name="options">What is asked for, and how the browser is opened.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <exception cref="VibeException">ACCESS_DENIED when the person says no.</exception>
    public async Task<VibeSession> SignInWithBrowserAsync(BrowserSignInOptions? options = null, CancellationToken cancellationToken = default)
    {
        var session = await SignIn.WithBrowserAsync(Connection, RequireUser(), options ?? new(), cancellationToken).ConfigureAwait(false);
        Invoker.ForgetConsistency();
        return session;
    }

    /// <summary>Signs somebody in who types a code on another device (RFC 8628).</summary>
    /// <param name="show">Shows the code and where to type it.</param>
    /// <param name="scope">What the app asks for besides who the person is: names of its manifest's scopes, separated by spaces.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <exception cref="VibeException">ACCESS_DENIED when the person says no, SIGN_IN_EXPIRED when nobody answers in time.</exception>
    public async Task<VibeSession> SignInWithDeviceAsync(
        Func<DevicePrompt, CancellationToken, Task> show, string scope = "", CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(show);
        var session = await SignIn.WithDeviceAsync(Connection, RequireUser(), show, scope, cancellationToken).ConfigureAwait(false);
        Invoker.ForgetConsistency();
        return session;
    }

    /// <summary>Who is signed in, also from an earlier run when <see cref="VibeOptions.SessionStore"/> keeps it; null when nobody is.</summary>
    /// <param name="cancellationToken">Cancels it.</param>
    public async ValueTask<VibeSession?> GetSessionAsync(CancellationToken cancellationToken = default) =>
        _user is null ? null : await _user.GetSessionAsync(cancellationToken).ConfigureAwait(false);

    /// <summary>Signs out: the session is forgotten here, and its tokens and streams end at the server when that can be reached.</summary>
    public async Task SignOutAsync()
    {
        await RequireUser().SignOutAsync().ConfigureAwait(false);
        Invoker.ForgetConsistency();
    }

    /// <summary>Ends all calls, live queries and channels, unless it is a client made by <see cref="As"/>.</summary>
    public void Dispose()
    {
        _user?.Dispose();
        if (_ownsConnection)
        {
            Connection.Dispose();
        }
    }

    private UserTokens RequireUser() => _user is { } user && Connection.Options.App is { Length: > 0 }
        ? user
        : throw new InvalidOperationException("People sign in to an app: set VibeOptions.App, its DID, and no credentials.");
}
