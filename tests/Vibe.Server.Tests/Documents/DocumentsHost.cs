using System.Security.Cryptography;
using Microsoft.Extensions.Logging.Abstractions;
using Vibe.Postgres.Migrations;
using Vibe.Postgres.Sessions;
using Vibe.Postgres.Tests;
using Vibe.Server.Documents;
using Vibe.Server.Documents.FieldIndexes;
using Vibe.Server.Kernel;
using Vibe.Server.Pipeline;

namespace Vibe.Server.Tests.Documents;

/// <summary>The documents feature on a real database, called without the wire. Tests keep apart by their users and collections.</summary>
public sealed class DocumentsHost(EmbeddedClusterFixture cluster) : IAsyncLifetime
{
    internal const string App = "did:web:vibe.test:apps:one";

    private int _people;

    internal Database Database { get; private set; } = null!;

    /// <summary>The connection string of the database, for SQL that does not go through it.</summary>
    internal string Connection { get; private set; } = "";

    internal DocumentsService Service { get; private set; } = null!;

    internal FieldIndexBuilder Builder { get; private set; } = null!;

    internal FieldIndexCatalog Catalog { get; private set; } = null!;

    internal DocumentUpkeep Upkeep { get; private set; } = null!;

    internal DocumentOptions Options { get; } = new()
    {
        FieldIndexRefresh = TimeSpan.Zero, FieldIndexDropDelay = TimeSpan.Zero, FieldIndexBatch = 8, RequestIdLifetime = TimeSpan.FromHours(24),
    };

    /// <inheritdoc/>
    public async Task InitializeAsync()
    {
        var options = await cluster.CreateEmptyDatabaseAsync();
        Connection = options.ConnectionString;
        Database = new Database(EmbeddedClusterFixture.Patient(Connection), TimeProvider.System);
        var migrations = Migration.Load(typeof(Database).Assembly, typeof(DocumentsService).Assembly);
        await new Migrator(Database, migrations, TimeProvider.System).MigrateAsync(progress: null, CancellationToken.None);
        Catalog = new FieldIndexCatalog(Database, Options, TimeProvider.System);
        Builder = new FieldIndexBuilder(Database, Options);
        Upkeep = new DocumentUpkeep(Builder, Catalog, Options, TimeProvider.System, NullLogger<DocumentUpkeep>.Instance);
        var queries = new QueryStore(Database, Catalog);
        var expansion = new EdgeExpansion(Database);
        var indexes = new FieldIndexStore(Database);
        var tokens = new PageTokens(RandomNumberGenerator.GetBytes(32), TimeProvider.System);
        var pages = new DocumentPages(queries, new SearchStore(Database), indexes, Catalog, expansion, tokens);
        var consistency = new Consistency(
            Database, new ConsistencyTokens(RandomNumberGenerator.GetBytes(32)), new ConsistencyOptions { Patience = TimeSpan.FromMinutes(1) }, TimeProvider.System);
        await consistency.StartAsync(CancellationToken.None);
        Service = new DocumentsService(
            new DocumentStore(Database), pages, new EdgeStore(Database), expansion, queries, indexes, Upkeep, tokens, consistency,
            TimeProvider.System);
    }

    /// <inheritdoc/>
    public async Task DisposeAsync()
    {
        Upkeep.Dispose();
        Catalog.Dispose();
        await Database.DisposeAsync();
    }

    /// <summary>A user nobody else knows.</summary>
    /// <param name="scope">What the user granted the app.</param>
    /// <param name="certificates">Principals of certificates the user holds.</param>
    internal Someone User(string scope = "documents:*:write", params string[] certificates)
    {
        var did = $"did:web:vibe.test:users:u{Interlocked.Increment(ref _people)}";
        return new Someone(Service, new Caller
        {
            Did = did, App = App, Principals = [did, PrincipalName.Users, .. certificates], Scopes = Scopes.Parse(scope),
        });
    }

    /// <summary>An app that acts as itself: no user.</summary>
    /// <param name="privileges">What an operator has approved.</param>
    /// <param name="scope">What the app asked for this time.</param>
    internal Someone AppItself(string privileges = "", string scope = "documents:*:write")
    {
        var did = $"did:web:vibe.test:apps:a{Interlocked.Increment(ref _people)}";
        return new Someone(Service, new Caller
        {
            Did = did, App = did, Principals = [did], Scopes = Scopes.Parse(scope), Privileges = Scopes.Parse(privileges),
        });
    }

    internal Someone Visitor() => new(Service, Caller.SignedOut);

    /// <summary>A collection of the test's own.</summary>
    internal string Collection() => $"c{Interlocked.Increment(ref _people)}";

    /// <summary>Runs the index builder until it has nothing left to do.</summary>
    internal async Task BuildAsync()
    {
        using var timeout = new CancellationTokenSource(TimeSpan.FromMinutes(1));
        while (await Builder.StepAsync(timeout.Token) != BuildStep.Idle)
        {
            await Task.Yield();
        }
    }
}
