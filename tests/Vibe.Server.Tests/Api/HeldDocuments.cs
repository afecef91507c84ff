using Npgsql;

namespace Vibe.Server.Tests.Api;

/// <summary>Holds the table of documents against everyone: statements on it wait until it is released.</summary>
internal sealed class HeldDocuments : IAsyncDisposable
{
    private readonly NpgsqlConnection _holder;
    private readonly NpgsqlConnection _observer;
    private NpgsqlTransaction? _transaction;

    private HeldDocuments(NpgsqlConnection holder, NpgsqlConnection observer) => (_holder, _observer) = (holder, observer);

    public static async Task<HeldDocuments> TakeAsync(string connectionString)
    {
        var unpooled = new NpgsqlConnectionStringBuilder(connectionString) { Pooling = false }.ConnectionString;
        var held = new HeldDocuments(new(unpooled), new(unpooled));
        await held._holder.OpenAsync();
        await held._observer.OpenAsync();
        held._transaction = await held._holder.BeginTransactionAsync();
        await using var command = new NpgsqlCommand("lock table vibe.documents in access exclusive mode", held._holder, held._transaction);
        await command.ExecuteNonQueryAsync();
        return held;
    }

    /// <summary>How many statements of requests run now and wait.</summary>
    public async Task<long> WaitersAsync()
    {
        await using var command = new NpgsqlCommand(
            "select count(*) from pg_stat_activity where datname = current_database() and application_name = 'vibe' and state = 'active' and wait_event_type = 'Lock'", _observer);
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
