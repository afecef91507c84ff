using Vibe.Postgres.Sessions;
using Vibe.Server.Kernel;

namespace Vibe.Server.Documents;

/// <summary>Forgets request ids that have had their time.</summary>
internal sealed class RequestSweep(Database database, DocumentOptions options) : ISweep
{
    private const int Batch = 10_000;

    /// <inheritdoc/>
    public string Name => "request ids";

    /// <inheritdoc/>
    public async Task SweepAsync(CancellationToken cancellationToken)
    {
        while (await database.Owner.ExecuteAsync(
            $"""
            delete from vibe.requests r using (
              select o.caller_did, o.request_id from vibe.requests o where o.create_time < now() - {options.RequestIdLifetime}
              order by o.create_time limit {Batch}) old
            where r.caller_did = old.caller_did and r.request_id = old.request_id
            """,
            cancellationToken) == Batch)
        {
            // More of them.
        }
    }
}
