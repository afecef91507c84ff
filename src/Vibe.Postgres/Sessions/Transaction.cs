using System.Data;
using Npgsql;

namespace Vibe.Postgres.Sessions;

/// <summary>
/// A transaction of several round trips, for work whose later statements depend on earlier results. Rolled back unless
/// <see cref="CommitAsync"/> succeeded. Holds a connection: keep it short, and prefer a <see cref="Batch"/> where one round trip will do.
/// </summary>
public sealed class Transaction : IAsyncDisposable, IBatchRunner
{
    private readonly ConnectionPool _pool;
    private readonly NpgsqlConnection _connection;
    private readonly NpgsqlTransaction _transaction;
    private Sql? _prologue;
    private Exception? _failure;

    private Transaction(ConnectionPool pool, NpgsqlConnection connection, NpgsqlTransaction transaction, Sql? prologue)
    {
        _pool = pool;
        _connection = connection;
        _transaction = transaction;
        _prologue = prologue;
    }

    internal static async ValueTask<Transaction> BeginAsync(
        ConnectionPool pool, Sql? prologue, IsolationLevel isolation, CancellationToken cancellationToken)
    {
        var connection = await pool.OpenAsync(cancellationToken);
        try
        {
            // The driver sends BEGIN together with the first statement, and so goes the context.
            var transaction = await connection.BeginTransactionAsync(isolation, cancellationToken);
            return new(pool, connection, transaction, prologue);
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

    /// <summary>A batch that runs inside this transaction, in one round trip.</summary>
    public Batch CreateBatch() => new(this);

    /// <summary>Runs one statement and reads its rows.</summary>
    /// <exception cref="DatabaseException">The statement failed; the transaction can only be rolled back.</exception>
    public async Task<IReadOnlyList<T>> QueryAsync<T>(Sql sql, Func<Row, T> read, CancellationToken cancellationToken)
    {
        var batch = CreateBatch();
        var rows = batch.Query(sql, read);
        await batch.RunAsync(cancellationToken);
        return rows.Value;
    }

    /// <summary>Runs one statement and reads its first row; null (default) when there is none.</summary>
    /// <exception cref="DatabaseException">The statement failed; the transaction can only be rolled back.</exception>
    public async Task<T?> QueryFirstAsync<T>(Sql sql, Func<Row, T> read, CancellationToken cancellationToken)
    {
        var batch = CreateBatch();
        var row = batch.QueryFirst(sql, read);
        await batch.RunAsync(cancellationToken);
        return row.Value;
    }

    /// <summary>Runs one statement; returns the number of rows affected.</summary>
    /// <exception cref="DatabaseException">The statement failed; the transaction can only be rolled back.</exception>
    public async Task<long> ExecuteAsync(Sql sql, CancellationToken cancellationToken)
    {
        var batch = CreateBatch();
        var affected = batch.Execute(sql);
        await batch.RunAsync(cancellationToken);
        return affected.Value;
    }

    /// <summary>Makes everything durable.</summary>
    /// <exception cref="DatabaseException">Nothing took effect, except that <see cref="DatabaseErrorKind.ConnectionLost"/> leaves it unknown.</exception>
    public async Task CommitAsync(CancellationToken cancellationToken)
    {
        try
        {
            await _transaction.CommitAsync(cancellationToken);
        }
        catch (Exception exception) when (DatabaseException.IsDriverError(exception))
        {
            throw DatabaseException.From(exception);
        }
    }

    /// <summary>Rolls back what was not committed and returns the connection.</summary>
    public async ValueTask DisposeAsync()
    {
        try
        {
            await _transaction.DisposeAsync();
        }
        catch (Exception exception) when (DatabaseException.IsDriverError(exception))
        {
            // The connection is gone, and the server rolls back by itself.
        }
        if (_failure is not null)
        {
            _pool.ForgetPlans(_connection, _failure);
        }
        await _connection.DisposeAsync();
    }

    Task IBatchRunner.RunAsync(IReadOnlyList<BatchStatement> statements, CancellationToken cancellationToken) =>
        RunAsync(statements, cancellationToken);

    private async Task RunAsync(IReadOnlyList<BatchStatement> statements, CancellationToken cancellationToken)
    {
        var prologue = _prologue;
        _prologue = null;
        await Guard(BatchExecution.ExecuteAsync(_connection, prologue, statements, cancellationToken));
    }

    private async Task Guard(Task operation)
    {
        try
        {
            await operation;
        }
        catch (Exception exception)
        {
            _failure ??= exception;
            if (DatabaseException.IsDriverError(exception))
            {
                throw DatabaseException.From(exception);
            }
            throw;
        }
    }
}
