using Npgsql;

namespace Vibe.Postgres.Sessions;

/// <summary>Sends statements as one driver batch and hands each its result set.</summary>
internal static class BatchExecution
{
    /// <param name="connection">An open connection.</param>
    /// <param name="prologue">Sent before the statements, its one row ignored: the request context; null for none.</param>
    /// <param name="statements">What to run.</param>
    /// <param name="cancellationToken">Cancels on the server.</param>
    public static async Task ExecuteAsync(
        NpgsqlConnection connection, Sql? prologue, IReadOnlyList<BatchStatement> statements, CancellationToken cancellationToken)
    {
        await using var batch = new NpgsqlBatch(connection);
        var bound = new List<NpgsqlParameter>();
        try
        {
            if (prologue is not null)
            {
                batch.BatchCommands.Add(Bind(prologue, bound));
            }
            foreach (var statement in statements)
            {
                batch.BatchCommands.Add(Bind(statement.Sql, bound));
            }

            await using (var reader = await batch.ExecuteReaderAsync(cancellationToken))
            {
                await ReadAsync(reader, prologue is not null, statements, cancellationToken);
            }

            var first = prologue is null ? 0 : 1;
            for (var i = 0; i < statements.Count; i++)
            {
                statements[i].Complete(batch.BatchCommands[first + i]);
            }
        }
        finally
        {
            // A parameter belongs to one collection at a time: letting go makes its fragment usable in the next statement.
            foreach (var command in batch.BatchCommands)
            {
                command.Parameters.Clear();
            }
        }
    }

    private static async ValueTask ReadAsync(
        NpgsqlDataReader reader, bool skipFirst, IReadOnlyList<BatchStatement> statements, CancellationToken cancellationToken)
    {
        var onResult = reader.FieldCount > 0;
        if (skipFirst)
        {
            onResult = await reader.NextResultAsync(cancellationToken);
        }
        foreach (var statement in statements)
        {
            if (!statement.ReturnsRows)
            {
                continue;
            }
            if (!onResult)
            {
                throw new InvalidOperationException("A statement added with Query returned no result set; use Execute for it.");
            }
            await statement.ReadAsync(reader, cancellationToken);
            onResult = await reader.NextResultAsync(cancellationToken);
        }
        if (onResult)
        {
            throw new InvalidOperationException("A statement added with Execute returned a result set; use Query for it.");
        }
    }

    private static NpgsqlBatchCommand Bind(Sql sql, List<NpgsqlParameter> bound)
    {
        var first = bound.Count;
        var parameters = new List<NpgsqlParameter>();
        var command = new NpgsqlBatchCommand(SqlText.Render(sql, parameters));
        foreach (var parameter in parameters)
        {
            // The same fragment in an earlier statement of this batch: parameters cannot be shared between statements.
            var shared = bound.IndexOf(parameter, 0, first) >= 0;
            command.Parameters.Add(shared ? parameter.Clone() : parameter);
            bound.Add(parameter);
        }
        return command;
    }
}
