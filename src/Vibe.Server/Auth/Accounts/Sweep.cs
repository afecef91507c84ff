using Vibe.Postgres.Sessions;

namespace Vibe.Server.Auth.Accounts;

/// <summary>
/// How expired rows of a table are deleted. Register one for each table with rows that expire: <see cref="AccountUpkeep"/> runs
/// them all.
/// </summary>
/// <param name="Table">What it is called in the log.</param>
/// <param name="Delete">Deletes at most so many rows that had expired at the time given.</param>
internal sealed record Sweep(string Table, Func<DateTimeOffset, int, Sql> Delete);
