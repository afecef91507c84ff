using Npgsql;

namespace Vibe.Postgres.Sessions;

/// <summary>
/// One connection kept from statement to statement, each a transaction of its own, and closed at the end. Whoever holds one notices that the server
/// went down in between: the next statement fails, where a pool would quietly connect anew. Not thread-safe.
/// </summary>
public sealed class HeldSession : IAsyncDisposable, IBatchRunner
{
    private readonly NpgsqlConnection _connection;

    private HeldSession(NpgsqlConnection connection) => _connection = connection;

    /// <summary>Runs one statement and reads its rows.</summary>
    /// <exception cref="DatabaseException">The statement failed.</exception>
    public Task<IReadOnlyList<T>> QueryAsync<T>(Sql sql, Func<Row, T> read, CancellationToken cancellationToken) =>
        new Batch(this).RunQueryAsync(sql, read, budget: null, cancellationToken);

    /// <summary>Closes the connection.</summary>
    public ValueTask DisposeAsync() => _connection.DisposeAsync();

    internal static async Task<HeldSession> OpenAsync(string connectionString, CancellationToken cancellationToken)
    {
        var connection = new NpgsqlConnection(connectionString);
        try
        {
            await connection.OpenAsync(cancellationToken);
            return new HeldSession(connection);
        }
        catch (Exception exception)
        {
            await connection.DisposeAsync();
            if (DatabaseException.IsDriverError(exception))
            {
                throw DatabaseException.From(exception);
            }

            throw;
        }
    }

    async Task IBatchRunner.RunAsync(IReadOnlyList<BatchStatement> statements, CancellationToken cancellationToken)
    {
        try
        {
            await BatchExecution.ExecuteAsync(_connection, prologue: null, statements, cancellationToken);
        }
        catch (Exception exception) when (exception is InvalidOperationException || DatabaseException.IsDriverError(exception))
        {
            throw DatabaseException.From(exception);
        }
    }
}
