using System.Data;
using Npgsql;

namespace Vibe.Postgres.Sessions;

/// <summary>Open connections of one role, with patience for a server that is still starting or recovering.</summary>
internal sealed class ConnectionPool(NpgsqlDataSource dataSource, TimeSpan connectRetry, TimeProvider time) : IAsyncDisposable
{
    private static readonly TimeSpan FirstPause = TimeSpan.FromMilliseconds(20);
    private static readonly TimeSpan LongestPause = TimeSpan.FromMilliseconds(250);

    /// <summary>An open connection; disposing it returns it.</summary>
    /// <exception cref="DatabaseException">No connection within the time allowed.</exception>
    public ValueTask<NpgsqlConnection> OpenAsync(CancellationToken cancellationToken)
    {
        var opening = dataSource.OpenConnectionAsync(cancellationToken);
        return opening.IsCompletedSuccessfully ? opening : OpenSlowAsync(opening, cancellationToken);
    }

    /// <summary>Makes every idle connection close instead of being handed out: after one was lost, the others of a restarted server are dead too.</summary>
    public void DropIdle() => dataSource.Clear();

    /// <summary>
    /// Makes a connection fit for its next user after a failure. The driver takes a statement for prepared as soon as it is parsed;
    /// one that is cut off after that, while it is planned for the first time, keeps no description of its rows, and its next use
    /// would fail and break the connection. So all plans of the connection are dropped, unless the failure is one of running.
    /// </summary>
    public void ForgetPlans(NpgsqlConnection connection, Exception failure)
    {
        if (connection.FullState != ConnectionState.Open || IsOfRunning(failure as PostgresException))
        {
            return;
        }

        try
        {
            connection.UnprepareAll();
        }
        catch (Exception exception) when (DatabaseException.IsDriverError(exception))
        {
            // Connections that are in use close when they come back.
            dataSource.Clear();
        }
    }

    public ValueTask DisposeAsync() => dataSource.DisposeAsync();

    private static bool IsOfRunning(PostgresException? error) => error is not null
        && (error.SqlState.StartsWith("23", StringComparison.Ordinal) || error.SqlState == PostgresErrorCodes.SerializationFailure);

    private async ValueTask<NpgsqlConnection> OpenSlowAsync(ValueTask<NpgsqlConnection> opening, CancellationToken cancellationToken)
    {
        var started = time.GetTimestamp();
        for (var pause = FirstPause; ; pause = pause * 2 < LongestPause ? pause * 2 : LongestPause)
        {
            try
            {
                return await opening;
            }
            catch (Exception exception) when (DatabaseException.IsDriverError(exception))
            {
                var error = DatabaseException.From(exception);
                if (error.Kind != DatabaseErrorKind.ConnectionLost || time.GetElapsedTime(started) + pause > connectRetry)
                {
                    throw error;
                }
            }
            await Task.Delay(pause, time, cancellationToken);
            opening = dataSource.OpenConnectionAsync(cancellationToken);
        }
    }
}
