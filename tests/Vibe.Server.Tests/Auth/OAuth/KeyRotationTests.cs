using Microsoft.Extensions.Logging.Abstractions;
using Vibe.Postgres.Tests;
using Vibe.Server.Auth.Tokens;
using Vibe.Server.Tests.Api;

namespace Vibe.Server.Tests.Auth.OAuth;

/// <summary>The life of signing keys, as several nodes see it.</summary>
[Collection(PostgresCollection.Name)]
public sealed class KeyRotationTests(EmbeddedClusterFixture cluster) : IAsyncLifetime
{
    private readonly ShiftedTime _time = new();
    private ApiServer _server = null!;
    private SigningKeyStore _store = null!;

    /// <inheritdoc/>
    public async Task InitializeAsync()
    {
        var master = ApiServer.NewMasterKey();
        _server = await ApiServer.StartAsync(await cluster.CreateEmptyDatabaseAsync(), masterKey: master);
        _store = new SigningKeyStore(_server.Database, master);
    }

    /// <inheritdoc/>
    public async Task DisposeAsync() => await _server.DisposeAsync();

    [Fact]
    public async Task A_key_is_published_before_it_signs_and_known_until_its_last_token_is_over()
    {
        var (keys, rotation) = Node();
        await rotation.RunOnceAsync(CancellationToken.None);
        var (first, second) = (keys.Active, Assert.Single(keys.All, static key => key.State == KeyState.Next));

        _time.Pass(KeyRotation.ActiveLife + TimeSpan.FromMinutes(1));
        await rotation.RunOnceAsync(CancellationToken.None);
        Assert.Equal(second.Id, keys.Active.Id);
        Assert.Equal(KeyState.Retired, keys.Find(first.Id)!.State);
        Assert.Single(keys.All, static key => key.State == KeyState.Next);

        // Another node learns of it, and agrees.
        var (others, other) = Node();
        await other.RunOnceAsync(CancellationToken.None);
        Assert.Equal(keys.All.Select(static key => (key.Id, key.State)).Order(), others.All.Select(static key => (key.Id, key.State)).Order());

        _time.Pass(KeyRotation.KnownAfter - TimeSpan.FromMinutes(1));
        await rotation.RunOnceAsync(CancellationToken.None);
        Assert.NotNull(keys.Find(first.Id));
        _time.Pass(TimeSpan.FromMinutes(2));
        await rotation.RunOnceAsync(CancellationToken.None);
        Assert.Null(keys.Find(first.Id));
    }

    [Fact]
    public async Task A_key_that_was_just_made_waits_an_hour()
    {
        var (keys, rotation) = Node();
        await rotation.RunOnceAsync(CancellationToken.None);
        var first = keys.Active;
        await _server.Database.Owner.ExecuteAsync($"delete from vibe.signing_keys where state = 'next'", CancellationToken.None);
        _time.Pass(KeyRotation.ActiveLife + TimeSpan.FromMinutes(1));
        await rotation.RunOnceAsync(CancellationToken.None);
        await rotation.RunOnceAsync(CancellationToken.None);
        Assert.Equal(first.Id, keys.Active.Id);
        _time.Pass(KeyRotation.PublishedBefore);
        await rotation.RunOnceAsync(CancellationToken.None);
        Assert.NotEqual(first.Id, keys.Active.Id);
    }

    [Fact]
    public async Task Nodes_that_rotate_at_once_agree_on_one_key()
    {
        var nodes = Enumerable.Range(0, 8).Select(_ => Node()).ToList();
        await Task.WhenAll(nodes.Select(static node => node.Rotation.RunOnceAsync(CancellationToken.None)));
        _time.Pass(KeyRotation.ActiveLife + TimeSpan.FromMinutes(1));
        await Task.WhenAll(nodes.Select(static node => node.Rotation.RunOnceAsync(CancellationToken.None)));
        await Task.WhenAll(nodes.Select(static node => node.Rotation.RunOnceAsync(CancellationToken.None)));

        Assert.Single(nodes.Select(static node => node.Keys.Active.Id).Distinct());
        Assert.Single(nodes[0].Keys.All, static key => key.State == KeyState.Active);
        Assert.Single(nodes[0].Keys.All, static key => key.State == KeyState.Next);
    }

    [Fact]
    public async Task Private_keys_are_not_readable_in_the_database()
    {
        var stored = await _server.Database.Owner.QueryAsync(
            $"select private_key from vibe.signing_keys", static row => row.GetBytes(0), CancellationToken.None);
        Assert.NotEmpty(stored);
        using var key = System.Security.Cryptography.ECDsa.Create();
        Assert.All(stored, bytes => Assert.ThrowsAny<System.Security.Cryptography.CryptographicException>(() => key.ImportPkcs8PrivateKey(bytes, out _)));
    }

    private (SigningKeys Keys, KeyRotation Rotation) Node()
    {
        var keys = new SigningKeys([]);
        return (keys, new KeyRotation(_store, keys, _time, NullLogger<KeyRotation>.Instance));
    }
}
