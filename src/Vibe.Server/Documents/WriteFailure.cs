using Grpc.Core;
using Vibe.Postgres.Sessions;
using Vibe.Server.Kernel;

namespace Vibe.Server.Documents;

/// <summary>Finds out why a write wrote nothing. Only then, so that a write that succeeds is one round trip.</summary>
internal static class WriteFailure
{
    /// <summary>What the caller can see of the document now.</summary>
    public static Sql Statement(Guid id) => $"""
        select d.collection, d.owner_did = vibe.me(), d.revision, d.delete_time is null, {WriteStatements.IsWritable}
        from vibe.documents d where d.id = {id}
        """;

    /// <summary>Reads a row of <see cref="Statement"/>.</summary>
    public static DocumentSight Read(Row row) =>
        new(row.GetString(0), row.GetBooleanOrNull(1) ?? false, row.GetInt64(2), row.GetBoolean(3), row.GetBooleanOrNull(4) ?? false);

    /// <summary>The error; null when nothing speaks against the write any more, so that another one must have been in the way.</summary>
    public static RpcException? Explain(DocumentWrite write, DocumentSight? sight, Caller caller)
    {
        var id = write.Id;
        var index = write.Index;
        if (write.Kind == WriteKind.Create)
        {
            return DocumentErrors.AlreadyExists(id, index);
        }

        if (sight is not { IsLive: true } live)
        {
            return write switch
            {
                { Exists: true } => DocumentErrors.PreconditionFailed(id, exists: true, index),
                { OnlyReplaces: true, Etag.Length: > 0 } => DocumentErrors.EtagMismatch(id, write.Etag, current: null, index),
                { Kind: WriteKind.Upsert, OnlyReplaces: false } => DocumentErrors.AlreadyExists(id, index),
                _ => DocumentErrors.NotFound(id, index),
            };
        }

        return write switch
        {
            { Kind: WriteKind.Upsert } when live.Collection != write.Collection => DocumentErrors.CollectionIsImmutable($"{write.Field}.collection"),
            { Exists: false } => DocumentErrors.PreconditionFailed(id, exists: false, index),
            _ when !live.IsWritable => DocumentErrors.ReadOnly(id, index),
            _ when !caller.Scopes.MayWrite(live.Collection) => DocumentErrors.ScopeRequired(live.Collection, index),
            { Acl: not null } when !live.IsOwn => DocumentErrors.OwnerRequired(id, index),
            { Etag.Length: > 0 } when DocumentEtag.Parse(write.Etag) != live.Revision =>
                DocumentErrors.EtagMismatch(id, write.Etag, live.Revision, index),
            _ => null,
        };
    }

    /// <summary>Whether the database's own guards refused the write.</summary>
    public static bool IsRefusal(DatabaseException exception) => exception.SqlState is "VB001" or "VB002" or "VB003" or "VB004";

    /// <summary>Whether another write held the document for longer than a write waits (lock_not_available).</summary>
    public static bool IsLocked(DatabaseException exception) => exception.SqlState == "55P03";

    /// <summary>The error behind such a refusal.</summary>
    public static RpcException Translate(DatabaseException exception, DocumentWrite write) => exception.SqlState switch
    {
        "VB001" => DocumentErrors.OwnerRequired(write.Id, write.Index),
        "VB003" => DocumentErrors.BodyTooLarge($"{write.Field}.data"),
        _ => DocumentErrors.IdOfOtherKey($"{write.Field}.id"),
    };
}

/// <summary>What a caller sees of a document they could not write.</summary>
internal sealed record DocumentSight(string Collection, bool IsOwn, long Revision, bool IsLive, bool IsWritable);
