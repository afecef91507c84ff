using Npgsql;

namespace Vibe.Server.Tests.Realtime.Safeguards;

/// <summary>A change of a document in a transaction that the test ends when it likes. It has its number from the start.</summary>
internal sealed class SlowWrite : IAsyncDisposable
{
    private readonly NpgsqlConnection _connection;

    private SlowWrite(NpgsqlConnection connection) => _connection = connection;

    /// <summary>The server's process for it.</summary>
    public int Process => _connection.ProcessID;

    /// <summary>Begins.</summary>
    /// <param name="connection">Where.</param>
    /// <param name="document">The document; null to change nothing and have a number all the same.</param>
    /// <param name="withTriggers">Whether the row gets a new transaction number, as every row does.</param>
    public static async Task<SlowWrite> BeginAsync(string connection, string? document, bool withTriggers = true)
    {
        var write = new SlowWrite(new NpgsqlConnection($"{connection};Pooling=false"));
        await write._connection.OpenAsync();
        await write.RunAsync("begin; select pg_current_xact_id();");
        if (!withTriggers)
        {
            await write.RunAsync("set local session_replication_role = replica");
        }

        if (document is not null)
        {
            await write.RunAsync($$"""update vibe.documents set data = '{"n":5}', revision = revision + 1 where id = '{{document}}'""");
        }

        return write;
    }

    /// <summary>Commits. It may hang for as long as the test makes commits hang.</summary>
    public Task CommitAsync() => RunAsync("commit");

    /// <summary>Undoes it.</summary>
    public Task RollbackAsync() => RunAsync("rollback");

    /// <inheritdoc/>
    public ValueTask DisposeAsync() => _connection.DisposeAsync();

    private async Task RunAsync(string text)
    {
        await using var command = new NpgsqlCommand(text, _connection);
        await command.ExecuteNonQueryAsync();
    }
}
