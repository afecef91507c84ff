using Vibe.Postgres.Sessions;
using Vibe.Server.Kernel;

namespace Vibe.Server.Auth;

/// <summary>Deletes the rows of a table that have expired, so many at a time that no transaction is long.</summary>
/// <param name="name">What they are called in the log.</param>
/// <param name="delete">Deletes at most so many rows that had expired at the time given.</param>
/// <param name="database">Where they are.</param>
/// <param name="time">The clock.</param>
internal sealed class ExpiredRows(string name, Func<DateTimeOffset, int, Sql> delete, Database database, TimeProvider time) : ISweep
{
    private const int Batch = 5_000;

    /// <inheritdoc/>
    public string Name => name;

    /// <inheritdoc/>
    public async Task SweepAsync(CancellationToken cancellationToken)
    {
        while (await database.Owner.ExecuteAsync(delete(time.GetUtcNow(), Batch), cancellationToken) == Batch)
        {
            // More of them.
        }
    }
}

/// <summary>Registers them.</summary>
internal static class ExpiredRowsServices
{
    /// <summary>Adds one. Needs the database and a clock.</summary>
    public static void AddExpiredRows(this IServiceCollection services, string name, Func<DateTimeOffset, int, Sql> delete) =>
        services.AddExpiredRows<Database>(name, (_, now, limit) => delete(now, limit));

    /// <summary>Adds one whose rows live as long as a setting says.</summary>
    public static void AddExpiredRows<TOptions>(this IServiceCollection services, string name, Func<TOptions, DateTimeOffset, int, Sql> delete)
        where TOptions : class =>
        services.AddSingleton<ISweep>(provider =>
        {
            var options = provider.GetRequiredService<TOptions>();
            return new ExpiredRows(
                name, (now, limit) => delete(options, now, limit), provider.GetRequiredService<Database>(), provider.GetRequiredService<TimeProvider>());
        });
}
