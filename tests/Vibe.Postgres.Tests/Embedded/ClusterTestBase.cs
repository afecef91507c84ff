using Microsoft.Extensions.Logging.Abstractions;
using Vibe.Postgres.Embedded;
using Vibe.Postgres.Sessions;

namespace Vibe.Postgres.Tests.Embedded;

/// <summary>A data directory of its own for every test, removed afterwards.</summary>
public abstract class ClusterTestBase : IDisposable
{
    protected string DataDirectory { get; init; } = Path.Combine(Path.GetTempPath(), $"vibe-test-{Guid.NewGuid():n}");

    protected static CancellationToken Timeout => new CancellationTokenSource(TimeSpan.FromSeconds(120)).Token;

    public virtual void Dispose()
    {
        GC.SuppressFinalize(this);
        if (Directory.Exists(DataDirectory))
        {
            Directory.Delete(DataDirectory, recursive: true);
        }
    }

    protected EmbeddedClusterOptions Options => new() { DataDirectory = DataDirectory, Durable = false, BinDirectory = null };

    protected Task<EmbeddedCluster> StartAsync(EmbeddedClusterOptions? options = null) =>
        EmbeddedCluster.StartAsync(options ?? Options, NullLogger.Instance, TimeProvider.System, Timeout);

    protected static async Task WriteNumberAsync(DatabaseOptions options, int number)
    {
        await using var database = new Database(EmbeddedClusterFixture.Patient(options.ConnectionString), TimeProvider.System);
        var batch = database.Admin.CreateBatch(Access.Write);
        batch.Execute($"create table if not exists number (n int)");
        batch.Execute($"insert into number values ({number})");
        await batch.RunAsync(Timeout);
    }

    protected static async Task<IReadOnlyList<int>> ReadNumbersAsync(EmbeddedCluster cluster)
    {
        await using var database = new Database(EmbeddedClusterFixture.Patient(cluster.GetDatabaseOptions().ConnectionString), TimeProvider.System);
        return await database.Admin.QueryAsync($"select n from number order by n", static row => row.GetInt32(0), Timeout);
    }

    protected static async Task AwaitEndOfAsync(int pid)
    {
        var timeout = Timeout;
        while (PostmasterFile.IsAlive(pid))
        {
            await Task.Delay(TimeSpan.FromMilliseconds(10), TimeProvider.System, timeout);
        }
    }
}
