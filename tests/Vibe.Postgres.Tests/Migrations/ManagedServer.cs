using Microsoft.Extensions.Logging.Abstractions;
using Npgsql;
using Vibe.Postgres.Embedded;
using Vibe.Postgres.Sessions;

namespace Vibe.Postgres.Tests.Migrations;

/// <summary>A server whose only login for us is an ordinary one that owns a database, as a hosting company hands out.</summary>
internal sealed class ManagedServer : IAsyncDisposable
{
    private readonly EmbeddedCluster _cluster;

    private ManagedServer(EmbeddedCluster cluster, DatabaseOptions options)
    {
        _cluster = cluster;
        Options = options;
    }

    public DatabaseOptions Options { get; }

    public static async Task<ManagedServer> StartAsync(string roleAttributes = "createrole")
    {
        var directory = Path.Combine(Path.GetTempPath(), $"vibe-test-{Guid.NewGuid():n}");
        var cluster = await EmbeddedCluster.StartAsync(
            new() { DataDirectory = directory, Durable = false }, NullLogger.Instance, TimeProvider.System, CancellationToken.None);
        var superuser = cluster.GetDatabaseOptions();

        await File.AppendAllTextAsync(Path.Combine(directory, "cluster", "pg_ident.conf"), $"vibe \"{Environment.UserName}\" managed_admin\n");
        await using (var connection = new NpgsqlConnection(superuser.ConnectionString))
        {
            await connection.OpenAsync();
            foreach (var sql in (string[])
                [$"create role managed_admin login {roleAttributes}", "create database managed owner managed_admin", "select pg_reload_conf()"])
            {
#pragma warning disable CA2100 // Fixed texts.
                await using var command = new NpgsqlCommand(sql, connection);
#pragma warning restore CA2100
                await command.ExecuteNonQueryAsync();
            }
        }
        var login = new NpgsqlConnectionStringBuilder(superuser.ConnectionString) { Username = "managed_admin", Database = "managed" };
        return new(cluster, new() { ConnectionString = login.ConnectionString });
    }

    public async ValueTask DisposeAsync()
    {
        await _cluster.DisposeAsync();
        Directory.Delete(_cluster.DataDirectory, recursive: true);
    }
}
