using System.Buffers.Text;
using System.Collections.Concurrent;
using System.Security.Cryptography;
using System.Text.Json.Nodes;
using Google.Protobuf.WellKnownTypes;
using Vibe.Apps.V1;
using Vibe.Client.Auth;
using Vibe.Client.Tests.Support;

namespace Vibe.Client.Tests.Server;

[Collection(ServerCollection.Name)]
public sealed class SignInTests(SharedServer server) : IDisposable
{
    private const string Scope = "documents:notes:write";
    private readonly string _folder = Directory.CreateTempSubdirectory("vibe-csharp-session-").FullName;

    private sealed record Note(string Title);

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public async Task An_app_acts_as_itself_with_its_secret_and_tokens_bound_to_a_key()
    {
        var (did, secret, _) = await CreateAppAsync(ClientType.Confidential);

        // By another name than the one the server knows itself by.
        using var vibe = new VibeClient(new VibeOptions { Url = server.Vibe.OtherUrl, Timeout = Waiting.Limit, App = did, Credentials = VibeCredentials.AppSecret(secret) });
        var note = await vibe.Collection<Note>("notes").WriteAsync(new Note("of the app"));
        Assert.Equal(did, note.Owner);

        var token = await vibe.Invoker.Tokens.GetAsync(refused: null, CancellationToken.None);
        Assert.NotNull(JwtWriter.ClaimsOf(token!.Value)["cnf"]!["jkt"]);
        using var thief = vibe.As(VibeCredentials.Token(token.Value));
        Assert.Equal("PROOF_INVALID", (await Assert.ThrowsAsync<VibeException>(() => thief.Collection<Note>("notes").ReadOnceAsync())).Reason);
    }

    [Fact]
    public async Task Callers_who_need_a_token_at_once_ask_for_one()
    {
        var (did, secret, _) = await CreateAppAsync(ClientType.Confidential);
        using var vibe = new VibeClient(new VibeOptions { Url = server.Vibe.Url, Timeout = Waiting.Limit, App = did, Credentials = VibeCredentials.AppSecret(secret), UseDpop = false });
        var tokens = await Task.WhenAll(Enumerable.Range(0, 20).Select(_ => vibe.Invoker.Tokens.GetAsync(refused: null, CancellationToken.None).AsTask()));
        var token = Assert.Single(tokens.Select(static token => token!.Value).Distinct());

        // And one of those who were refused at once asks for another.
        var others = await Task.WhenAll(Enumerable.Range(0, 20).Select(_ => vibe.Invoker.Tokens.GetAsync(token, CancellationToken.None).AsTask()));
        Assert.NotEqual(token, Assert.Single(others.Select(static other => other!.Value).Distinct()));
        await vibe.Collection<Note>("notes").WriteAsync(new Note("with a bearer token"));
    }

    [Fact]
    public async Task An_app_acts_as_itself_with_a_key()
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var (did, _, apps) = await CreateAppAsync(ClientType.Confidential);
        var point = key.ExportParameters(includePrivateParameters: false).Q;
        await apps.CreateAppCredentialAsync(new()
        {
            Name = did,
            Credential = new AppCredential
            {
                Jwk = Struct.Parser.ParseJson(new JsonObject
                {
                    ["kty"] = "EC", ["crv"] = "P-256", ["x"] = Base64Url.EncodeToString(point.X), ["y"] = Base64Url.EncodeToString(point.Y),
                }.ToJsonString()),
            },
        });
        using var vibe = new VibeClient(new VibeOptions { Url = server.Vibe.Url, Timeout = Waiting.Limit, App = did, Credentials = VibeCredentials.AppKey(key) });
        Assert.Equal(did, (await vibe.Collection<Note>("notes").WriteAsync(new Note("signed"))).Owner);
    }

    [Fact]
    public async Task A_wrong_secret_says_so()
    {
        var (did, _, _) = await CreateAppAsync(ClientType.Confidential);
        using var vibe = new VibeClient(new VibeOptions { Url = server.Vibe.Url, Timeout = Waiting.Limit, App = did, Credentials = VibeCredentials.AppSecret("wrong") });
        Assert.Equal("CLIENT_INVALID", (await Assert.ThrowsAsync<VibeException>(() => vibe.Collection<Note>("notes").ReadOnceAsync())).Reason);
    }

    [Fact]
    public async Task A_refused_token_is_replaced_once()
    {
        var (did, secret, _) = await CreateAppAsync(ClientType.Confidential);
        using var app = new VibeClient(new VibeOptions { Url = server.Vibe.Url, Timeout = Waiting.Limit, App = did, Credentials = VibeCredentials.AppSecret(secret) });

        // Bound to a key, it is refused without a proof.
        var refused = (await app.Invoker.Tokens.GetAsync(refused: null, CancellationToken.None))!.Value;
        var good = await server.Vibe.TokenAsync("retry");
        ConcurrentQueue<string?> asked = [];
        using var vibe = await server.Vibe.ClientAsync("retry", options => options.Credentials = VibeCredentials.FromProvider((request, _) =>
        {
            asked.Enqueue(request.Refused);
            return ValueTask.FromResult<string?>(request.Refused is null ? refused : good);
        }));
        var notes = vibe.Collection<Note>(server.NewName("refused"));
        await notes.WriteAsync(new Note("after all"));
        Assert.Equal([null, refused], asked);
        asked.Clear();
        await using var live = notes.LiveAsync().GetAsyncEnumerator();
        Assert.Single((await live.NextAsync()).Documents);
        Assert.Equal([null, refused], asked);
    }

    [Fact]
    public async Task A_clock_that_is_wrong_is_set_by_the_server()
    {
        var (did, secret, _) = await CreateAppAsync(ClientType.Confidential);
        using var vibe = new VibeClient(new VibeOptions
        {
            Url = server.Vibe.Url, Timeout = Waiting.Limit, App = did, Credentials = VibeCredentials.AppSecret(secret), TimeProvider = new ShiftedTime(TimeSpan.FromHours(-3)),
        });
        await vibe.Collection<Note>("notes").WriteAsync(new Note("three hours ago"));
    }

    [Fact]
    public async Task Somebody_signs_in_with_the_browser_and_stays_signed_in()
    {
        using var person = await Person.SignUpAsync(server.Vibe.Url, server.NewName("browser"));
        var (did, _, _) = await CreateAppAsync(ClientType.Native);
        var path = Path.Combine(_folder, "app", "session");
        string noteId;
        using (var vibe = Client(did, path))
        {
            Assert.Null(await vibe.GetSessionAsync());
            var session = await vibe.SignInWithBrowserAsync(new BrowserSignInOptions { Scope = Scope, OpenBrowser = (address, _) => person.BrowseAsync(address) });
            Assert.Equal((person.Handle, "A Person", false), (session.Handle, session.Name, session.IsExpired));
            Assert.Contains(Scope, session.Scopes);
            var note = await vibe.Collection<Note>("notes").WriteAsync(new Note("mine"));
            Assert.Equal((session.Did, did), (note.Owner, note.App));
            noteId = note.Id;
        }

        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(path));
        using var later = Client(did, path);
        Assert.Equal(person.Handle, (await later.GetSessionAsync())?.Handle);
        Assert.Equal(noteId, (await later.Collection<Note>("notes").GetAsync(noteId)).Id);

        // The token is refreshed, with the key of the session.
        var token = await later.Invoker.Tokens.GetAsync(refused: null, CancellationToken.None);
        var refreshed = await later.Invoker.Tokens.GetAsync(token!.Value, CancellationToken.None);
        Assert.NotEqual(token.Value, refreshed!.Value);
        await later.Collection<Note>("notes").GetAsync(noteId);

        using var copy = Client(did, path);
        Assert.NotNull(await copy.GetSessionAsync());
        await later.SignOutAsync();
        Assert.Null(await later.GetSessionAsync());
        Assert.False(File.Exists(path));
        Assert.Equal("DOCUMENT_NOT_FOUND", (await Assert.ThrowsAsync<VibeException>(() => later.Collection<Note>("notes").GetAsync(noteId))).Reason);

        // The session has ended at the server too.
        await using var ended = await WaitForEndAsync(copy);
        Assert.True((await copy.GetSessionAsync())?.IsExpired);
    }

    [Fact]
    public async Task Somebody_signs_in_with_another_device()
    {
        using var person = await Person.SignUpAsync(server.Vibe.Url, server.NewName("device"));
        var (did, _, _) = await CreateAppAsync(ClientType.Native);
        using var vibe = Client(did, Path.Combine(_folder, "session"));
        var session = await vibe.SignInWithDeviceAsync(async (prompt, _) =>
        {
            Assert.Equal($"{server.Vibe.Url}/device", prompt.VerificationUri.AbsoluteUri);
            await person.AllowDeviceAsync(prompt.UserCode);
        }, Scope);
        Assert.Equal(person.Handle, session.Handle);
        Assert.Equal(session.Did, (await vibe.Collection<Note>("notes").WriteAsync(new Note("from the sofa"))).Owner);
    }

    [Fact]
    public async Task An_answer_that_is_not_ours_is_not_taken()
    {
        using var listener = new LoopbackListener("/callback", "done");
        var received = listener.ReceiveAsync(static query => query.GetValueOrDefault("state") == "ours", CancellationToken.None);
        using var http = new HttpClient();
        Assert.False((await http.GetAsync(new Uri($"{listener.RedirectUri}?state=other&code=1"))).IsSuccessStatusCode);
        Assert.False((await http.GetAsync(new Uri(listener.RedirectUri.Replace("/callback", "/favicon.ico", StringComparison.Ordinal)))).IsSuccessStatusCode);

        // Browsers open connections that they do not use.
        using var unused = new System.Net.Sockets.TcpClient();
        await unused.ConnectAsync("127.0.0.1", new Uri(listener.RedirectUri).Port);
        Assert.Equal("done", await http.GetStringAsync(new Uri($"{listener.RedirectUri}?state=ours&code=a%20b%2Bc")));
        Assert.Equal("a b+c", (await received.WaitAsync(Waiting.Limit))["code"]);
    }

    [Fact]
    public async Task Options_that_contradict_each_other_are_refused()
    {
        var failure = await Assert.ThrowsAsync<InvalidOperationException>(() => new VibeClient(server.Vibe.Url).SignOutAsync());
        Assert.Contains("VibeOptions.App", failure.Message, StringComparison.Ordinal);
        Assert.Throws<ArgumentException>(() => new VibeClient(new VibeOptions { Url = server.Vibe.Url, Timeout = Waiting.Limit, Credentials = VibeCredentials.AppSecret("x") }));
        Assert.Throws<ArgumentException>(() => new VibeClient("vibe.example"));
    }

    private VibeClient Client(string did, string path) =>
        new(new VibeOptions { Url = server.Vibe.Url, Timeout = Waiting.Limit, App = did, SessionStore = new FileSessionStore(path) });

    // A node learns of what another has ended within a second: until then the access token of the copy is good.
    private static async Task<IAsyncDisposable> WaitForEndAsync(VibeClient copy)
    {
        var changes = copy.Collection<Note>("notes").SubscribeAsync().GetAsyncEnumerator();
        var failure = await Assert.ThrowsAsync<VibeException>(() => changes.NextAsync());
        Assert.Equal("TOKEN_REVOKED", failure.Reason);

        // Asked for another token, it learns that there is none.
        var token = await copy.Invoker.Tokens.GetAsync(refused: null, CancellationToken.None);
        Assert.Equal("TOKEN_REVOKED", (await Assert.ThrowsAsync<VibeException>(async () => await copy.Invoker.Tokens.GetAsync(token!.Value, CancellationToken.None))).Reason);
        return changes;
    }

    private async Task<(string Did, string Secret, AppsService.AppsServiceClient Apps)> CreateAppAsync(ClientType type)
    {
        var owner = new VibeClient(new VibeOptions { Url = server.Vibe.Url, Timeout = Waiting.Limit, Credentials = VibeCredentials.Token(await server.Vibe.TokenAsync("owner", "account")) });
        var name = server.NewName("csharp-");
        var created = await owner.Apps.CreateAppAsync(new()
        {
            App = new App
            {
                Name = name,
                Manifest = new AppManifest
                {
                    DisplayName = $"The {name} app", ClientType = type,
                    RedirectUris = { type == ClientType.Native ? "http://127.0.0.1/callback" : "https://rp.example/callback" },
                    Scopes = { new ScopeRequest { Name = Scope, Descriptions = { ["en"] = "Keep your notes" } } },
                },
            },
        });
        var secret = type == ClientType.Confidential
            ? (await owner.Apps.CreateAppCredentialAsync(new() { Name = created.App.Did, Credential = new AppCredential() })).Secret
            : "";
        return (created.App.Did, secret, owner.Apps);
    }

    private sealed class ShiftedTime(TimeSpan shift) : TimeProvider
    {
        public override DateTimeOffset GetUtcNow() => base.GetUtcNow() + shift;
    }
}
