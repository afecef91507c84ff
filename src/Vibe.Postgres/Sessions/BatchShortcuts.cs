namespace Vibe.Postgres.Sessions;

/// <summary>A batch of one statement, run at once.</summary>
internal static class BatchShortcuts
{
    extension(Batch batch)
    {
        public async Task<IReadOnlyList<T>> RunQueryAsync<T>(Sql sql, Func<Row, T> read, RowBudget<T>? budget, CancellationToken cancellationToken)
        {
            var rows = batch.Query(sql, read, budget);
            await batch.RunAsync(cancellationToken);
            return rows.Value;
        }

        public async Task<T?> RunQueryFirstAsync<T>(Sql sql, Func<Row, T> read, CancellationToken cancellationToken)
        {
            var row = batch.QueryFirst(sql, read);
            await batch.RunAsync(cancellationToken);
            return row.Value;
        }

        public async Task<long> RunExecuteAsync(Sql sql, CancellationToken cancellationToken)
        {
            var affected = batch.Execute(sql);
            await batch.RunAsync(cancellationToken);
            return affected.Value;
        }
    }
}
