using Npgsql;

namespace Vibe.Server.Tests.Api;

/// <summary>Holds a table, that of documents unless said otherwise, against everyone: statements on it wait until it is released.</summary>
internal sealed class HeldDocuments : IAsyncDisposable
{
    private readonly NpgsqlConnection _holder;
    private readonly NpgsqlConnection _observer;
    private NpgsqlTransaction? _transaction;

    private HeldDocuments(NpgsqlConnection holder, NpgsqlConnection observer) => (_holder, _observer) = (holder, observer);

    public static async Task<HeldDocuments> TakeAsync(string connectionString, string table = "vibe.documents")
    {
        var unpooled = new NpgsqlConnectionStringBuilder(connectionString) { Pooling = false }.ConnectionString;
        var held = new HeldDocuments(new(unpooled), new(unpooled));
        await held._holder.OpenAsync();
        await held._observer.OpenAsync();
        held._transaction = await held._holder.BeginTransactionAsync();
        await using var command = new NpgsqlCommand($"lock table {table} in access exclusive mode", held._holder, held._transaction);
        await command.ExecuteNonQueryAsync();
        return held;
    }

    /// <summary>How many statements run now and wait: of requests, or of another kind of session, and beginning with a text.</summary>
    public async Task<long> WaitersAsync(string sessions = "vibe", string text = "")
    {
        await using var command = new NpgsqlCommand(
            "select count(*) from pg_stat_activity where datname = current_database() and application_name = $1 and starts_with(query, $2) and state = 'active' and wait_event_type = 'Lock'", _observer)
        {
            Parameters = { new() { Value = sessions }, new() { Value = text } },
        };
        return (long)(await command.ExecuteScalarAsync())!;
    }

    public async Task ReleaseAsync()
    {
        if (_transaction is { } transaction)
        {
            _transaction = null;
            await transaction.RollbackAsync();
        }
    }

    public async ValueTask DisposeAsync()
    {
        await ReleaseAsync();
        await _holder.DisposeAsync();
        await _observer.DisposeAsync();
    }
}
