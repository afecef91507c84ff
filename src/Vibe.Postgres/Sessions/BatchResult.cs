using Npgsql;

namespace Vibe.Postgres.Sessions;

/// <summary>One statement of a <see cref="Batch"/> and, once the batch has run, what it gave.</summary>
internal abstract class BatchStatement(Sql sql)
{
    public Sql Sql { get; } = sql;

    /// <summary>Whether the statement returns rows and so owns one result set of the reader.</summary>
    public abstract bool ReturnsRows { get; }

    /// <summary>Reads this statement's result set. Starts from nothing: a batch may run twice.</summary>
    public abstract ValueTask ReadAsync(NpgsqlDataReader reader, CancellationToken cancellationToken);

    /// <summary>Called after the whole batch succeeded.</summary>
    public abstract void Complete(NpgsqlBatchCommand command);
}

/// <summary>The result of one statement in a <see cref="Batch"/>, there once the batch has run.</summary>
/// <typeparam name="T">List of rows, one row, or number of affected rows.</typeparam>
public sealed class BatchResult<T>
{
    private T _value = default!;
    private bool _available;

    internal BatchResult()
    {
    }

    /// <summary>The result.</summary>
    /// <exception cref="InvalidOperationException">The batch has not run, or failed.</exception>
    public T Value => _available ? _value : throw new InvalidOperationException("The batch has not run, or it failed.");

    internal void Set(T value)
    {
        _value = value;
        _available = true;
    }
}

internal sealed class ExecuteStatement(Sql sql, BatchResult<long> result) : BatchStatement(sql)
{
    public override bool ReturnsRows => false;

    public override ValueTask ReadAsync(NpgsqlDataReader reader, CancellationToken cancellationToken) => default;

    public override void Complete(NpgsqlBatchCommand command) => result.Set((long)command.Rows);
}

internal sealed class RowsStatement<T>(Sql sql, Func<Row, T> read, RowBudget<T>? budget, BatchResult<IReadOnlyList<T>> result) : BatchStatement(sql)
{
    private readonly List<T> _rows = [];

    public override bool ReturnsRows => true;

    public override async ValueTask ReadAsync(NpgsqlDataReader reader, CancellationToken cancellationToken)
    {
        _rows.Clear();
        for (var weight = 0L; (budget is null || weight < budget.Most) && await reader.ReadAsync(cancellationToken);)
        {
            var row = read(new Row(reader));
            weight += budget?.WeightOf(row) ?? 0;
            _rows.Add(row);
        }
    }

    public override void Complete(NpgsqlBatchCommand command) => result.Set(_rows);
}

internal sealed class FirstRowStatement<T>(Sql sql, Func<Row, T> read, BatchResult<T?> result) : BatchStatement(sql)
{
    private T? _row;

    public override bool ReturnsRows => true;

    public override async ValueTask ReadAsync(NpgsqlDataReader reader, CancellationToken cancellationToken) =>
        _row = await reader.ReadAsync(cancellationToken) ? read(new Row(reader)) : default;

    public override void Complete(NpgsqlBatchCommand command) => result.Set(_row);
}
