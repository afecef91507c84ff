using System.Data;
using System.Security.Cryptography;
using System.Text;

namespace Vibe.Postgres.Sessions;

/// <summary>Sessions of a service role, for background work and start-up. They carry no request context.</summary>
public sealed class ServiceSessions
{
    private static readonly Sql ReadOnly = $"select set_config('transaction_read_only', 'on', true)";
    private readonly ConnectionPool _pool;

    internal ServiceSessions(ConnectionPool pool) => _pool = pool;

    internal ConnectionPool Pool => _pool;

    /// <summary>A batch without request context.</summary>
    public Batch CreateBatch(Access access) => new(new PooledRunner(_pool, Prologue(access), access));

    /// <summary>Runs one reading statement and reads its rows.</summary>
    /// <exception cref="DatabaseException">The statement failed.</exception>
    public Task<IReadOnlyList<T>> QueryAsync<T>(Sql sql, Func<Row, T> read, CancellationToken cancellationToken) =>
        CreateBatch(Access.Read).RunQueryAsync(sql, read, budget: null, cancellationToken);

    /// <summary>Runs one reading statement and reads its first row; null (default) when there is none.</summary>
    /// <exception cref="DatabaseException">The statement failed.</exception>
    public Task<T?> QueryFirstAsync<T>(Sql sql, Func<Row, T> read, CancellationToken cancellationToken) =>
        CreateBatch(Access.Read).RunQueryFirstAsync(sql, read, cancellationToken);

    /// <summary>Runs one writing statement; returns the number of rows affected.</summary>
    /// <exception cref="DatabaseException">The statement failed.</exception>
    public Task<long> ExecuteAsync(Sql sql, CancellationToken cancellationToken) =>
        CreateBatch(Access.Write).RunExecuteAsync(sql, cancellationToken);

    /// <summary>Runs one writing statement with <c>returning</c> and reads its first row; null (default) when there is none.</summary>
    /// <exception cref="DatabaseException">The statement failed.</exception>
    public Task<T?> WriteFirstAsync<T>(Sql sql, Func<Row, T> read, CancellationToken cancellationToken) =>
        CreateBatch(Access.Write).RunQueryFirstAsync(sql, read, cancellationToken);

    /// <summary>Starts a transaction of several round trips.</summary>
    /// <exception cref="DatabaseException">No connection.</exception>
    public ValueTask<Transaction> BeginAsync(Access access, IsolationLevel isolation, CancellationToken cancellationToken) =>
        Transaction.BeginAsync(_pool, Prologue(access), isolation, cancellationToken);

    /// <summary>Takes the database-wide lock <paramref name="name"/>, waiting for it.</summary>
    /// <exception cref="DatabaseException">No connection.</exception>
    public async Task<AdvisoryLock> AcquireLockAsync(string name, CancellationToken cancellationToken) =>
        await AdvisoryLock.AcquireAsync(_pool, Key(name), wait: true, cancellationToken)
            ?? throw new InvalidOperationException("Waiting for an advisory lock ended without it.");

    /// <summary>Takes the database-wide lock <paramref name="name"/>, or returns null when someone else holds it.</summary>
    /// <exception cref="DatabaseException">No connection.</exception>
    public Task<AdvisoryLock?> TryAcquireLockAsync(string name, CancellationToken cancellationToken) =>
        AdvisoryLock.AcquireAsync(_pool, Key(name), wait: false, cancellationToken);

    /// <summary>The 64-bit key PostgreSQL wants for a lock's name.</summary>
    internal static long Key(string name) => BitConverter.ToInt64(SHA256.HashData(Encoding.UTF8.GetBytes(name)), 0);

    private static Sql? Prologue(Access access) => access == Access.Read ? ReadOnly : null;
}
