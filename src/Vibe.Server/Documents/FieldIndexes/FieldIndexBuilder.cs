using System.Data;
using Vibe.Postgres.Sessions;

namespace Vibe.Server.Documents.FieldIndexes;

/// <summary>What a step of the builder did.</summary>
internal enum BuildStep
{
    /// <summary>There is nothing to do, or another node does it.</summary>
    Idle,

    /// <summary>Transactions are still running that began before the projection knew of the change.</summary>
    Waiting,

    /// <summary>Something was done; there may be more.</summary>
    Worked,
}

/// <summary>
/// Builds field indexes and removes dropped ones, in small transactions that keep their place: it goes on after a restart
/// where it stopped. Writes go on meanwhile; the projection enters what they change. One node at a time works.
/// </summary>
internal sealed class FieldIndexBuilder(Database database, DocumentOptions options)
{
    private const int Building = 2;
    private const int Dropped = 5;

    /// <summary>Does the next piece of work.</summary>
    /// <exception cref="DatabaseException">Try again later: nothing was lost.</exception>
    public async Task<BuildStep> StepAsync(CancellationToken cancellationToken)
    {
        Work? work = null;
        try
        {
            await using var transaction = await database.Owner.BeginAsync(Access.Write, IsolationLevel.ReadCommitted, cancellationToken);
            work = await FindAsync(transaction, cancellationToken);
            if (work is null)
            {
                return BuildStep.Idle;
            }

            var step = await RunAsync(transaction, work, cancellationToken);
            await transaction.CommitAsync(cancellationToken);
            return step;
        }
        catch (DatabaseException exception) when (work?.State == Building && exception.Kind is DatabaseErrorKind.Other or DatabaseErrorKind.CheckViolation)
        {
            await FailAsync(work!, exception, cancellationToken);
            return BuildStep.Worked;
        }
    }

    // The lock of the transaction rather than of a connection: it cannot be lost while the work goes on.
    private async Task<Work?> FindAsync(Transaction transaction, CancellationToken cancellationToken)
    {
        var batch = transaction.CreateBatch();
        var isOurs = batch.QueryFirst($"select pg_try_advisory_xact_lock(hashtextextended('vibe/field-indexes', 0))", static row => row.GetBoolean(0));
        var work = batch.QueryFirst(
            $"""
            select i.collection, i.path, i.kind, i.state, i.build_cursor, i.build_after is null,
              coalesce(pg_snapshot_xmin(pg_current_snapshot()) >= i.build_after, false)
            from vibe.field_index i
            where i.state in (2, 6) or (i.state = 5 and i.drop_time < now() - {options.FieldIndexDropDelay})
            order by i.state desc, i.create_time limit 1
            """,
            static row => new Work(
                row.GetString(0), row.GetString(1), row.GetInt32(2), row.GetInt32(3), row.GetGuidOrNull(4) ?? Guid.Empty,
                row.GetBoolean(5), row.GetBoolean(6)));
        await batch.RunAsync(cancellationToken);
        return isOurs.Value ? work.Value : null;
    }

    private async Task<BuildStep> RunAsync(Transaction transaction, Work work, CancellationToken cancellationToken)
    {
        if (work.State == Dropped)
        {
            await transaction.ExecuteAsync(
                $"update vibe.field_index i set state = 6, build_cursor = null, build_after = pg_snapshot_xmax(pg_current_snapshot()) where {work.Key}",
                cancellationToken);
            return BuildStep.Worked;
        }

        if (work.IsNew)
        {
            await transaction.ExecuteAsync(
                $"""
                update vibe.field_index i set build_after = pg_snapshot_xmax(pg_current_snapshot()), documents_done = 0,
                  documents_total = (select count(*) from vibe.documents d where d.collection = {work.Collection} and d.delete_time is null)
                where {work.Key}
                """,
                cancellationToken);
            return BuildStep.Worked;
        }

        if (!work.MayStart)
        {
            return BuildStep.Waiting;
        }

        await (work.State == Building ? EnterAsync(transaction, work, cancellationToken) : RemoveAsync(transaction, work, cancellationToken));
        return BuildStep.Worked;
    }

    private async Task EnterAsync(Transaction transaction, Work work, CancellationToken cancellationToken)
    {
        var isText = work.Kind == FieldIndexRow.Text;
        var size = isText ? Math.Max(1, options.FieldIndexBatch / 4) : options.FieldIndexBatch;
        var page = await transaction.QueryFirstAsync(
            isText ? Words(work, size) : Values(work, size),
            static row => (Count: row.GetInt64(0), Last: row.GetGuidOrNull(1), Entered: row.GetInt64(2)),
            cancellationToken);
        var isDone = page.Count < size;
        await transaction.ExecuteAsync(
            $"""
            update vibe.field_index i set build_cursor = {page.Last ?? work.Cursor}, documents_done = i.documents_done + {page.Entered},
              documents_total = case when {isDone} then i.documents_done + {page.Entered} else greatest(i.documents_total, i.documents_done + {page.Entered}) end,
              state = case when {isDone} then 3 else 2 end, serving = i.serving or {isDone}
            where {work.Key} and i.state = 2
            """,
            cancellationToken);
    }

    // The documents are locked against writes for the moment: one whose shares alone change writes no entry that would meet these.
    // An entry that is there already was made by a write, and so were those of its shares.
    private static Sql Values(Work work, int size) => $"""
        with page as materialized (select d.id from vibe.documents d where d.id > {work.Cursor} order by d.id limit {size}),
        matched as materialized (
          select d.id, d.owner_did, d.audience, d.create_time, d.denied, vibe.shares(d) as shares, vibe.json_field(d.data, i.keys) as v,
            vibe.field_group(d.data, i.group_keys) as grp
          from vibe.documents d join page p on p.id = d.id cross join vibe.field_index i
          where d.collection = {work.Collection} and d.delete_time is null and {work.Key}
          order by d.id for share of d),
        entered as (
          insert into vibe.doc_fields (collection, path, grp, rank, num, str, doc_id, owner_did, audience, create_time, denied)
          select {work.Collection}, {work.Path}, m.grp, vibe.json_rank(m.v), vibe.json_number(m.v), vibe.json_text(m.v), m.id, m.owner_did, m.audience,
            m.create_time, m.denied
          from matched m order by m.id
          on conflict (doc_id, path) do nothing
          returning *),
        shared as (
          insert into vibe.share_fields (principal, collection, path, grp, rank, num, str, doc_id, create_time, denied)
          select p, e.collection, e.path, e.grp, e.rank, e.num, e.str, e.doc_id, e.create_time, e.denied
          from entered e join matched m on m.id = e.doc_id cross join unnest(m.shares) p order by e.doc_id, p)
        select (select count(*) from page), (select p.id from page p order by p.id desc limit 1), (select count(*) from matched)
        """;

    // Here an entry may be there from another text index and must be replaced: locked, no newer one is overwritten.
    private static Sql Words(Work work, int size) => $"""
        with page as materialized (select d.id from vibe.documents d where d.id > {work.Cursor} order by d.id limit {size}),
        matched as materialized (
          select d.id, vibe.document_words(d.collection, d.data) as words
          from vibe.documents d
          where d.id in (select p.id from page p) and d.collection = {work.Collection} and d.delete_time is null
          order by d.id for share of d),
        entered as (
          insert into vibe.doc_search as s (doc_id, collection, tsv) select m.id, {work.Collection}, m.words from matched m
          on conflict (doc_id) do update set tsv = excluded.tsv where s.tsv <> excluded.tsv)
        select (select count(*) from page), (select p.id from page p order by p.id desc limit 1), (select count(*) from matched)
        """;

    private async Task RemoveAsync(Transaction transaction, Work work, CancellationToken cancellationToken)
    {
        if (work.Kind == FieldIndexRow.Text && await RebuildOthersAsync(transaction, work, cancellationToken))
        {
            await ForgetAsync(transaction, work, cancellationToken);
            return;
        }

        Sql table = work.Kind == FieldIndexRow.Text ? (Sql)$"vibe.doc_search" : $"vibe.doc_fields";
        Sql ofIndex = work.Kind == FieldIndexRow.Text ? Sql.Empty : $"and f.path = {work.Path}";
        Sql shared = work.Kind == FieldIndexRow.Text ? Sql.Empty : $"""
            , unshared as (
              delete from vibe.share_fields s using upto u
              where s.doc_id > {work.Cursor} and s.doc_id <= u.doc_id and s.collection = {work.Collection} and s.path = {work.Path})
            """;
        var last = await transaction.QueryFirstAsync(
            $"""
            with page as materialized (select f.doc_id from {table} f where f.doc_id > {work.Cursor} order by f.doc_id limit {options.FieldIndexBatch * 5}),
            upto as (select p.doc_id from page p order by p.doc_id desc limit 1),
            gone as (
              delete from {table} f using upto u
              where f.doc_id > {work.Cursor} and f.doc_id <= u.doc_id and f.collection = {work.Collection} {ofIndex}) {shared}
            select u.doc_id from upto u
            """,
            static row => row.GetGuidOrNull(0),
            cancellationToken);
        if (last is { } cursor)
        {
            await transaction.ExecuteAsync($"update vibe.field_index i set build_cursor = {cursor} where {work.Key}", cancellationToken);
        }
        else
        {
            await ForgetAsync(transaction, work, cancellationToken);
        }
    }

    // The entries of a collection hold the words of all its text indexes. Searches go on with the old ones meanwhile.
    private static async Task<bool> RebuildOthersAsync(Transaction transaction, Work work, CancellationToken cancellationToken) =>
        await transaction.ExecuteAsync(
            $"""
            update vibe.field_index i set state = 2, build_cursor = null, build_after = null
            where i.collection = {work.Collection} and i.kind = 2 and i.state in (2, 3, 4)
            """,
            cancellationToken) > 0;

    private static async Task ForgetAsync(Transaction transaction, Work work, CancellationToken cancellationToken)
    {
        var batch = transaction.CreateBatch();
        batch.Execute($"delete from vibe.field_index i where {work.Key} and i.suggestion_count = 0");

        // Suggested again in the meantime.
        batch.Execute($"""
            update vibe.field_index i set state = 1, build_cursor = null, build_after = null, drop_time = null, documents_done = 0, documents_total = 0
            where {work.Key}
            """);
        await batch.RunAsync(cancellationToken);
    }

    private Task<long> FailAsync(Work work, DatabaseException exception, CancellationToken cancellationToken) => database.Owner.ExecuteAsync(
        $"update vibe.field_index i set state = 4, error = {exception.Message} where {work.Key} and i.state = 2", cancellationToken);

    private sealed record Work(
        string Collection, string Path, int Kind, int State, Guid Cursor, bool IsNew, bool MayStart)
    {
        /// <summary>The row <c>i</c> of this index.</summary>
        public Sql Key => $"i.collection = {Collection} and i.path = {Path} and i.kind = {Kind}";
    }
}
