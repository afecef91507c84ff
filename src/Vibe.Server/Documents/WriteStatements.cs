using Vibe.Postgres.Sessions;

namespace Vibe.Server.Documents;

/// <summary>
/// The SQL of writes. One statement finds the row, checks what the write requires and writes: nothing can come in between.
/// It returns the row as stored, or none; <see cref="WriteFailure"/> then finds out why. Row policies decide who may.
/// </summary>
internal static class WriteStatements
{
    /// <summary>What a write returns: the document as stored, and its transaction.</summary>
    public static readonly Sql Columns = $"{DocumentRow.Columns}, d.txid";

    /// <summary>Whether the caller may write the row <c>d</c>, as the row policy says it.</summary>
    public static readonly Sql IsWritable = $"""
        (d.owner_did = vibe.me() or (vibe.me() is not null
          and (d.writers && vibe.principals() or d.collection = any (vibe.write_privileges()))
          and not (d.denied && vibe.principals()) and not (d.write_denied && vibe.principals())))
        """;

    /// <summary>The write.</summary>
    public static Sql Of(DocumentWrite write) => Of(write, gate: null);

    /// <summary>
    /// The write, recorded under a request id in the same statement. When the id is known already, nothing is written and
    /// no row comes back; when two meet, the second fails on <c>requests_pkey</c> and takes its write back.
    /// </summary>
    public static Sql Of(DocumentWrite write, WriteRequest request)
    {
        Sql id = $"{request.Id}";
        Sql gate = $"not exists (select from vibe.requests r where r.caller_did = vibe.me() and r.request_id = {id})";
        return $"""
            with d as ({Of(write, gate)}),
            recorded as (
              insert into vibe.requests (caller_did, request_id, fingerprint, document_ids, revisions)
              select vibe.me(), {id}, {new Bytea(request.Fingerprint)}, array[d.id], array[d.revision] from d)
            select {Columns} from d
            """;
    }

    private static Sql Of(DocumentWrite write, Sql? gate) => write.Kind switch
    {
        WriteKind.Create => Create(write, gate),
        WriteKind.Update => Update(write, gate),
        WriteKind.Delete => Change(write, $"delete_time = now()", gate),
        _ when write.OnlyReplaces => Replace(write, gate),
        _ => Upsert(write, gate),
    };

    // A deleted document of the caller is as good as none: it comes back, counting its revisions on. With an id that was just
    // made there is none; saying nothing of it saves the policies of an update, a third of the statement.
    private static Sql Create(DocumentWrite write, Sql? gate) => write.HasNewId ? (Sql)$"{Insert(write, gate)} returning {Columns}" : $"""
        {Insert(write, gate)}
        on conflict (id) do update set data = excluded.data, acl = excluded.acl, edges = excluded.edges, delete_time = null
          where d.delete_time is not null and d.owner_did = vibe.me()
            and d.collection = excluded.collection and d.key is not distinct from excluded.key
        returning {Columns}
        """;

    private static Sql Upsert(DocumentWrite write, Sql? gate)
    {
        Sql condition = write switch
        {
            { Exists: false } => $"d.delete_time is not null and d.owner_did = vibe.me()",
            { Acl: not null } => $"d.owner_did = vibe.me()",
            _ => $"(d.owner_did = vibe.me() or (d.delete_time is null and {IsWritable}))",
        };
        Sql acl = write.Acl is null ? (Sql)$"case when d.delete_time is null then d.acl else excluded.acl end" : $"excluded.acl";
        Sql edges = write.Edges is null ? (Sql)$"case when d.delete_time is null then d.edges else excluded.edges end" : $"excluded.edges";
        return $"""
            {Insert(write, gate)}
            on conflict (id) do update set data = excluded.data, acl = {acl}, edges = {edges}, delete_time = null
              where d.collection = excluded.collection and d.key is not distinct from excluded.key and {condition}
            returning {Columns}
            """;
    }

    private static Sql Insert(DocumentWrite write, Sql? gate)
    {
        Sql where = gate is null ? Sql.Empty : $"where {gate}";
        return $"""
            insert into vibe.documents as d (id, collection, owner_did, key, data, acl, edges)
            select {write.Id}, {write.Collection}, vibe.me(), {write.Key}, {write.Data ?? AccessRules.OwnerOnly},
              {write.Acl ?? AccessRules.OwnerOnly}, {write.Edges ?? DocumentEdges.None} {where}
            """;
    }

    private static Sql Update(DocumentWrite write, Sql? gate)
    {
        List<Sql> set = [];
        if (write.Changes is { } changes)
        {
            set.Add($"data = vibe.set_fields(d.data, {changes})");
        }
        else if (write.Data is { } data)
        {
            set.Add(write.ReplacesData ? (Sql)$"data = {data}" : $"data = vibe.merge_patch(d.data, {data})");
        }

        AddRules(write, set);
        return Change(write, Sql.Join($", ", set), gate);
    }

    private static Sql Replace(DocumentWrite write, Sql? gate)
    {
        List<Sql> set = [$"data = {write.Data}"];
        AddRules(write, set);
        return Change(write, Sql.Join($", ", set), gate);
    }

    private static void AddRules(DocumentWrite write, List<Sql> set)
    {
        if (write.Acl is { } acl)
        {
            set.Add($"acl = {acl}");
        }

        if (write.Edges is { } edges)
        {
            set.Add($"edges = {edges}");
        }
    }

    private static Sql Change(DocumentWrite write, Sql set, Sql? gate)
    {
        List<Sql> where = [$"d.id = {write.Id}", $"d.delete_time is null"];
        if (DocumentEtag.Parse(write.Etag) is { } revision)
        {
            where.Add($"d.revision = {revision}");
        }

        if (write.Collection.Length > 0)
        {
            where.Add($"d.collection = {write.Collection}");
        }

        if (write.Acl is not null)
        {
            where.Add($"d.owner_did = vibe.me()");
        }

        if (gate is not null)
        {
            where.Add(gate);
        }

        return $"update vibe.documents as d set {set} where {Sql.Join($" and ", where)} returning {Columns}";
    }
}
