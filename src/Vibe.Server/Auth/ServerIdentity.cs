using Vibe.Postgres.Sessions;
using Vibe.Server.Hosting;

namespace Vibe.Server.Auth;

/// <summary>What this deployment is called; kept in the database, so that every command and node says the same.</summary>
internal static class ServerIdentity
{
    /// <summary>Sets the issuer: the first server does, and a later one that is told a new public URL.</summary>
    public static Task WriteAsync(Database database, string issuer, CancellationToken cancellationToken) => database.Owner.ExecuteAsync(
        $"insert into vibe.server_identity (issuer) values ({issuer}) on conflict (only_one) do update set issuer = excluded.issuer",
        cancellationToken);

    /// <summary>Reads the issuer.</summary>
    /// <exception cref="Refusal">No server has run on this database yet.</exception>
    public static async Task<string> ReadAsync(Database database, CancellationToken cancellationToken) =>
        await FindAsync(database, cancellationToken)
        ?? throw new Refusal("No server has run on this database yet: start one with `scripts/dev-start.sh`, or name the right directory with --data.");

    /// <summary>Reads the issuer; null while no server has run on this database.</summary>
    public static Task<string?> FindAsync(Database database, CancellationToken cancellationToken) =>
        database.Owner.QueryFirstAsync($"select issuer from vibe.server_identity", static row => row.GetString(0), cancellationToken);
}
