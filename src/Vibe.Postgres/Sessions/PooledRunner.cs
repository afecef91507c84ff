namespace Vibe.Postgres.Sessions;

/// <summary>Runs a batch on a pooled connection as one implicit transaction.</summary>
internal sealed class PooledRunner(ConnectionPool pool, Sql? prologue, Access access) : IBatchRunner
{
    public async Task RunAsync(IReadOnlyList<BatchStatement> statements, CancellationToken cancellationToken)
    {
        for (var attempt = 1; ; attempt++)
        {
            try
            {
                await using var connection = await pool.OpenAsync(cancellationToken);
                try
                {
                    await BatchExecution.ExecuteAsync(connection, prologue, statements, cancellationToken);
                    return;
                }
                catch (Exception exception)
                {
                    pool.ForgetPlans(connection, exception);
                    throw;
                }
            }
            catch (Exception exception) when (exception is DatabaseException || DatabaseException.IsDriverError(exception))
            {
                var error = exception as DatabaseException ?? DatabaseException.From(exception);
                if (error.Kind == DatabaseErrorKind.ConnectionLost)
                {
                    pool.DropIdle();
                    if (access == Access.Read && attempt == 1)
                    {
                        continue;
                    }
                }
                throw error;
            }
        }
    }
}
