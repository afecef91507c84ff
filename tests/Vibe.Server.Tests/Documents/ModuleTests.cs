using System.Data;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Vibe.Postgres.Sessions;
using Vibe.Postgres.Tests;
using Vibe.Server.Documents;
using Vibe.Server.Kernel;
using Vibe.Server.Pipeline;
using State = Vibe.Documents.V1.FieldIndex.Types.State;

namespace Vibe.Server.Tests.Documents;

/// <summary>The feature as the server puts it together.</summary>
[Collection(PostgresCollection.Name)]
public sealed class ModuleTests(DocumentsHost host) : IClassFixture<DocumentsHost>
{
    [Fact]
    public async Task An_approved_index_is_built_in_the_background()
    {
        using var timeout = new CancellationTokenSource(TimeSpan.FromMinutes(1));
        await using var provider = Provide(host.Database);
        Assert.Equal(TimeSpan.FromMinutes(10), provider.GetRequiredService<DocumentOptions>().FieldIndexPoll);
        var service = provider.GetRequiredService<Vibe.Server.Documents.DocumentsService>();
        var upkeep = Assert.Single(provider.GetServices<IHostedService>());
        await upkeep.StartAsync(timeout.Token);
        var (alice, collection) = (host.User(), host.Collection());
        await alice.CreateAsync(collection, """{"n":1}""");
        await service.ApproveFieldIndex(new() { FieldIndex = new() { Collection = collection, Path = "data.n" } }, alice.Call());
        for (var state = State.Building; state != State.Ready;)
        {
            var call = new FakeCall(alice.Caller, timeout.Token);
            state = Assert.Single((await service.ListFieldIndexes(new() { Collection = collection }, call)).FieldIndexes).State;
        }

        await upkeep.StopAsync(timeout.Token);
    }

    [Fact]
    public async Task A_write_that_waits_too_long_for_another_is_a_conflict()
    {
        var (alice, collection) = (host.User(), host.Collection());
        var document = await alice.CreateAsync(collection);
        await using var hasty = new Database(
            new DatabaseOptions
            {
                ConnectionString = host.Connection, LockTimeout = TimeSpan.FromMilliseconds(200), StatementTimeout = TimeSpan.FromMinutes(1),
                ConnectTimeout = TimeSpan.FromMinutes(1),
            },
            TimeProvider.System);
        await using var provider = Provide(hasty);
        var writer = new Someone(provider.GetRequiredService<Vibe.Server.Documents.DocumentsService>(), alice.Caller);
        await using var other = await host.Database.Owner.BeginAsync(Access.Write, IsolationLevel.ReadCommitted, CancellationToken.None);
        await other.QueryAsync(
            $"select d.id from vibe.documents d where d.id = {Guid.Parse(document.Id)} for update of d", static row => row.GetGuid(0), CancellationToken.None);
        Assert.Equal("WRITE_CONFLICT", (await CallFailure.Of(writer.UpdateAsync(document.Id, "{}"))).Reason);
        Assert.Equal("WRITE_CONFLICT", (await CallFailure.Of(writer.BatchAsync([new() { Delete = new() { Id = document.Id } }]))).Reason);
    }
    private static ServiceProvider Provide(Database database) => new ServiceCollection()
        .AddLogging()
        .AddSingleton<IConfiguration>(new ConfigurationBuilder().AddInMemoryCollection([new("Vibe:Documents:FieldIndexPoll", "00:10:00")]).Build())
        .AddSingleton(TimeProvider.System)
        .AddSingleton(database)
        .AddSingleton(new PageTokens(new byte[32], TimeProvider.System))
        .AddSingleton(new ConsistencyTokens(new byte[32]))
        .AddSingleton(new ConsistencyOptions())
        .AddSingleton<Consistency>()
        .AddDocuments()
        .BuildServiceProvider(new ServiceProviderOptions { ValidateOnBuild = true, ValidateScopes = true });
}
