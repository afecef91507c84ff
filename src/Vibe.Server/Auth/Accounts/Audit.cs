using System.Text.Json;
using Vibe.Postgres.Sessions;
using Vibe.Server.Pipeline;

namespace Vibe.Server.Auth.Accounts;

/// <summary>Something people or operators should be able to look up later.</summary>
internal sealed record AuditEvent
{
    /// <summary>What happened: <c>session.create</c>, <c>passkey.add</c>, <c>grant.revoke</c>, ….</summary>
    public required string Type { get; init; }

    /// <summary>The account it concerns, null for none.</summary>
    public string? Did { get; init; }

    /// <summary>The app it concerns, null for none.</summary>
    public string? App { get; init; }

    /// <summary>Who did it, null when nobody was signed in.</summary>
    public string? Actor { get; init; }

    /// <summary>Where from, as <see cref="NetworkPrefix"/> gives it; empty when that is not known.</summary>
    public string Network { get; init; } = "";

    /// <summary>What else is worth knowing. Never a secret.</summary>
    public IReadOnlyDictionary<string, string> Details { get; init; } = new Dictionary<string, string>();
}

/// <summary>Writes down what happens to accounts and apps.</summary>
internal sealed class Audit(Database database, TimeProvider time)
{
    /// <summary>Writes one event.</summary>
    public Task WriteAsync(AuditEvent what, CancellationToken cancellationToken) =>
        database.Owner.ExecuteAsync(ToStatement(what), cancellationToken);

    /// <summary>Writes one event of a person at a browser.</summary>
    public Task WriteAsync(string type, string did, HttpContext http, CancellationToken cancellationToken) => WriteAsync(
        new AuditEvent { Type = type, Did = did, Actor = did, Network = NetworkPrefix.Of(http.Connection.RemoteIpAddress) }, cancellationToken);

    /// <summary>What happened to an account, the latest first.</summary>
    public Task<IReadOnlyList<StoredAuditEvent>> ListAsync(string did, Guid? before, int limit, CancellationToken cancellationToken) =>
        database.Owner.QueryAsync(
            $"""
            select e.id, e.create_time, e.type, coalesce(e.app_did, ''), e.network, e.details from vibe.audit_events e
            where e.did = {did} and ({before}::uuid is null or e.id < {before}) order by e.id desc limit {limit}
            """,
            static row => new StoredAuditEvent(row.GetGuid(0), row.GetTimestamp(1), row.GetString(2), row.GetString(3), row.GetString(4), row.GetJson(5)),
            cancellationToken);

    /// <summary>The statement that writes an event, for the transaction of what it tells.</summary>
    public Sql ToStatement(AuditEvent what)
    {
        var details = JsonSerializer.SerializeToUtf8Bytes(what.Details);
        var now = time.GetUtcNow();
        return $"""
            insert into vibe.audit_events (id, create_time, type, did, app_did, actor_did, network, details)
            values ({IdOf(now)}, {now}, {what.Type}, {what.Did}, {what.App}, {what.Actor}, {what.Network}, {details})
            """;
    }

    // Events of one millisecond keep their order: the 12 bits behind it hold its fraction (RFC 9562 section 6.2, method 3).
    private static Guid IdOf(DateTimeOffset time)
    {
        Span<byte> bytes = stackalloc byte[16];
        Guid.CreateVersion7(time).TryWriteBytes(bytes, bigEndian: true, out _);
        var fraction = time.Ticks % TimeSpan.TicksPerMillisecond * 4096 / TimeSpan.TicksPerMillisecond;
        bytes[6] = (byte)(0x70 | (fraction >> 8));
        bytes[7] = (byte)fraction;
        return new Guid(bytes, bigEndian: true);
    }
}

/// <summary>An event as it was written down.</summary>
/// <param name="Id">Names it; in order of time.</param>
/// <param name="CreateTime">When.</param>
/// <param name="Type">What happened.</param>
/// <param name="App">The app it concerns; empty for none.</param>
/// <param name="Network">Where from.</param>
/// <param name="Details">A JSON object of texts.</param>
internal sealed record StoredAuditEvent(
    Guid Id, DateTimeOffset CreateTime, string Type, string App, string Network, ReadOnlyMemory<byte> Details);
