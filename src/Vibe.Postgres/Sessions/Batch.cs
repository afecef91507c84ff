namespace Vibe.Postgres.Sessions;

/// <summary>
/// Statements that go to the server together with their request context in one round trip and one transaction: all of them take effect, or none.
/// </summary>
/// <remarks>
/// Statements are added first, then <see cref="RunAsync"/> fills their results. They cannot depend on each other's results in this process,
/// but a later statement sees what an earlier one wrote. For use by one caller, once.
/// </remarks>
public sealed class Batch
{
    private readonly List<BatchStatement> _statements = new(2);
    private readonly IBatchRunner _runner;
    private bool _ran;

    internal Batch(IBatchRunner runner) => _runner = runner;

    internal IReadOnlyList<BatchStatement> Statements => _statements;

    /// <summary>Adds a statement that returns rows (<c>select</c>, or any with <c>returning</c>).</summary>
    /// <param name="sql">The statement.</param>
    /// <param name="read">Makes a value of a row; a static lambda, since a retried read calls it again from the start.</param>
    /// <param name="budget">What the rows may weigh; null for no limit.</param>
    public BatchResult<IReadOnlyList<T>> Query<T>(Sql sql, Func<Row, T> read, RowBudget<T>? budget = null)
    {
        var result = new BatchResult<IReadOnlyList<T>>();
        Add(new RowsStatement<T>(sql, read, budget, result));
        return result;
    }

    /// <summary>Like <see cref="Query"/>, for the first row only; the result is null (default) when there is none.</summary>
    public BatchResult<T?> QueryFirst<T>(Sql sql, Func<Row, T> read)
    {
        var result = new BatchResult<T?>();
        Add(new FirstRowStatement<T>(sql, read, result));
        return result;
    }

    /// <summary>Adds a statement that returns no rows (<c>insert</c>, <c>update</c>, … without <c>returning</c>); the result is the number of rows affected.</summary>
    public BatchResult<long> Execute(Sql sql)
    {
        var result = new BatchResult<long>();
        Add(new ExecuteStatement(sql, result));
        return result;
    }

    /// <summary>Runs the statements. Cancelling stops them on the server and nothing takes effect, unless the commit was already under way.</summary>
    /// <exception cref="DatabaseException">A statement failed, or the connection was lost: none took effect, except as <see cref="DatabaseErrorKind.ConnectionLost"/> says.</exception>
    /// <exception cref="OperationCanceledException">The token was cancelled.</exception>
    public Task RunAsync(CancellationToken cancellationToken)
    {
        if (_ran)
        {
            throw new InvalidOperationException("A batch runs once.");
        }
        if (_statements.Count == 0)
        {
            throw new InvalidOperationException("The batch has no statements.");
        }
        _ran = true;
        return _runner.RunAsync(_statements, cancellationToken);
    }

    private void Add(BatchStatement statement) => _statements.Add(statement);
}

/// <summary>Where a batch's statements run: a pooled connection, or the connection of a transaction.</summary>
internal interface IBatchRunner
{
    Task RunAsync(IReadOnlyList<BatchStatement> statements, CancellationToken cancellationToken);
}
