using Vibe.Postgres.Sessions;

namespace Vibe.Server.Documents;

/// <summary>What is remembered of a request with a request id, for 24 hours.</summary>
internal sealed record RequestRecord(byte[] Fingerprint, Guid[] DocumentIds, ulong Transaction)
{
    /// <summary>What a second request of the same id runs into while the first is being written.</summary>
    public const string UniqueConstraint = "requests_pkey";

    /// <summary>The record of the caller's request.</summary>
    /// <remarks>A number that this database has not reached was restored from another one, and says nothing.</remarks>
    public static Sql Find(Guid requestId) => $"""
        select r.fingerprint, r.document_ids, case when r.txid < pg_snapshot_xmax(pg_current_snapshot()) then r.txid else '0'::xid8 end
        from vibe.requests r where r.caller_did = vibe.me() and r.request_id = {requestId}
        """;

    /// <summary>Reads a row of <see cref="Find"/>.</summary>
    public static RequestRecord Read(Row row) => new(row.GetBytes(0), row.GetGuidArray(1), row.GetXid8(2));

    /// <summary>Remembers the outcome of a batch.</summary>
    public static Sql Insert(WriteRequest request, IReadOnlyList<DocumentRow> rows) => $"""
        insert into vibe.requests (caller_did, request_id, fingerprint, document_ids, revisions)
        values (vibe.me(), {request.Id}, {new Bytea(request.Fingerprint)},
          {rows.Select(static row => row.Id).ToArray()}, {rows.Select(static row => row.Revision).ToArray()})
        """;
}
