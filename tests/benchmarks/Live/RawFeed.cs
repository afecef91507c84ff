using System.Diagnostics;
using Npgsql;
using Npgsql.Replication;
using Npgsql.Replication.PgOutput;
using Npgsql.Replication.PgOutput.Messages;

namespace Vibe.Benchmarks.Live;

/// <summary>The limit of everything that follows PostgreSQL's log: reading pgoutput, and nothing else.</summary>
internal static class RawFeed
{
    private const string Slot = "vibe_bench";

    /// <summary>From here on the database keeps its log for <see cref="ReadAsync"/>.</summary>
    public static Task KeepAsync(string connection) => ExecuteAsync(connection, $"select pg_create_logical_replication_slot('{Slot}', 'pgoutput')");

    /// <summary>Reads so many inserted rows.</summary>
    /// <returns>Rows a second.</returns>
    public static async Task<double> ReadAsync(string connection, int rows)
    {
        double rate;
        await using (var log = new LogicalReplicationConnection(connection))
        {
            await log.Open();
            using var enough = new CancellationTokenSource();
            var (started, count) = (Stopwatch.GetTimestamp(), 0);
            var options = new PgOutputReplicationOptions("vibe_feed", PgOutputProtocolVersion.V1);
            await foreach (var message in log.StartReplication(new PgOutputReplicationSlot(Slot), options, enough.Token))
            {
                if (message is InsertMessage && ++count == rows)
                {
                    break;
                }
            }

            rate = rows / Stopwatch.GetElapsedTime(started).TotalSeconds;
        }

        await ExecuteAsync(connection, $"select pg_drop_replication_slot('{Slot}') from pg_replication_slots where slot_name = '{Slot}' and not active");
        return rate;
    }

    private static async Task ExecuteAsync(string connection, string sql)
    {
        await using var database = new NpgsqlConnection(connection);
        await database.OpenAsync();
        await using var command = new NpgsqlCommand(sql, database);
        await command.ExecuteNonQueryAsync();
    }
}
