using Npgsql;

namespace Vibe.Postgres.Sessions;

/// <summary>A database-wide lock held by one connection. It ends when disposed, when the process dies, or when the connection is lost.</summary>
public sealed class AdvisoryLock : IAsyncDisposable
{
    private readonly NpgsqlConnection _connection;
    private readonly long _key;

    private AdvisoryLock(NpgsqlConnection connection, long key)
    {
        _connection = connection;
        _key = key;
    }

    /// <summary>Releases the lock.</summary>
    public async ValueTask DisposeAsync()
    {
        try
        {
            await using var command = new NpgsqlCommand("select pg_advisory_unlock($1)", _connection) { Parameters = { new() { Value = _key } } };
            await command.ExecuteScalarAsync(CancellationToken.None);
        }
        catch (Exception exception) when (exception is InvalidOperationException || DatabaseException.IsDriverError(exception))
        {
            // The connection is gone, and the lock with it.
        }
        await _connection.DisposeAsync();
    }

    internal static async Task<AdvisoryLock?> AcquireAsync(ConnectionPool pool, long key, bool wait, CancellationToken cancellationToken)
    {
        var connection = await pool.OpenAsync(cancellationToken);
        try
        {
            await using var command = new NpgsqlCommand(
                wait ? "select pg_advisory_lock($1) is null" : "select pg_try_advisory_lock($1)", connection) { Parameters = { new() { Value = key } } };
            var held = await command.ExecuteScalarAsync(cancellationToken) is true || wait;
            if (held)
            {
                return new(connection, key);
            }
        }
        catch (Exception exception)
        {
            // The lock may have been taken before the wait for it ended, and the connection goes on to others.
            await ReleaseAllAsync(connection);
            await connection.DisposeAsync();
            if (DatabaseException.IsDriverError(exception))
            {
                throw DatabaseException.From(exception);
            }
            throw;
        }
        await connection.DisposeAsync();
        return null;
    }

    private static async Task ReleaseAllAsync(NpgsqlConnection connection)
    {
        try
        {
            await using var command = new NpgsqlCommand("select pg_advisory_unlock_all()", connection);
            await command.ExecuteNonQueryAsync(CancellationToken.None);
        }
        catch (Exception exception) when (exception is InvalidOperationException || DatabaseException.IsDriverError(exception))
        {
            // The connection is gone, and its locks with it.
        }
    }
}
