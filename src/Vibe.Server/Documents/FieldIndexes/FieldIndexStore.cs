using Vibe.Postgres.Sessions;
using Vibe.Server.Kernel;

namespace Vibe.Server.Documents.FieldIndexes;

/// <summary>The definitions of field indexes. Building and removing is <see cref="FieldIndexBuilder"/>'s.</summary>
internal sealed class FieldIndexStore(Database database)
{
    /// <summary>How many definitions a collection keeps; suggestions beyond are refused.</summary>
    public const int MaxPerCollection = 200;

    /// <summary>Suggests an index, or counts once more; null when the collection has too many.</summary>
    public Task<FieldIndexRow?> SuggestAsync(Caller caller, FieldIndexName name, CancellationToken cancellationToken) => WriteAsync(
        caller,
        $"""
        insert into vibe.field_index as i (collection, path, kind, state, keys, group_keys, suggested_by, suggestion_count)
        select {name.Collection}, {name.Path}, {name.Kind}, 1, {name.Keys}, {name.GroupKeys}, vibe.me(), 1
        where (select count(*) from vibe.field_index o where o.collection = {name.Collection}) < {MaxPerCollection}
          or exists (select from vibe.field_index o where {Is($"o", name)})
        on conflict (collection, path, kind) do update set suggestion_count = i.suggestion_count + 1
        returning {FieldIndexRow.Columns}
        """,
        cancellationToken);

    /// <summary>Approves an index, so that it is built; one that failed goes on where it stopped. Null while it is being removed.</summary>
    public Task<FieldIndexRow?> ApproveAsync(Caller caller, FieldIndexName name, CancellationToken cancellationToken) => WriteAsync(
        caller,
        $"""
        insert into vibe.field_index as i (collection, path, kind, state, keys, group_keys, suggested_by)
        values ({name.Collection}, {name.Path}, {name.Kind}, 2, {name.Keys}, {name.GroupKeys}, vibe.me())
        on conflict (collection, path, kind) do update set
          state = case when i.state = 3 then 3 else 2 end,
          build_cursor = case when i.state in (1, 5) then null else i.build_cursor end,
          build_after = case when i.state in (1, 5) then null else i.build_after end,
          documents_done = case when i.state in (1, 5) then 0 else i.documents_done end,
          drop_time = null, error = ''
          where i.state <> 6
        returning {FieldIndexRow.Columns}
        """,
        cancellationToken);

    /// <summary>A page of definitions by collection, path and kind.</summary>
    /// <param name="caller">Who asks.</param>
    /// <param name="collection">Only this collection; all when empty.</param>
    /// <param name="limit">How many.</param>
    /// <param name="after">The last definition of the page before.</param>
    /// <param name="cancellationToken">Cancels.</param>
    public Task<IReadOnlyList<FieldIndexRow>> ListAsync(
        Caller caller, string collection, int limit, (string Collection, string Path, int Kind)? after, CancellationToken cancellationToken)
    {
        List<Sql> where = [$"(i.state < 5 or i.suggestion_count > 0)"];
        if (collection.Length > 0)
        {
            where.Add($"i.collection = {collection}");
        }

        if (after is { } last)
        {
            where.Add($"(i.collection, i.path, i.kind) > ({last.Collection}, {last.Path}, {last.Kind})");
        }

        return database.QueryAsync(
            caller.ToRequestContext(),
            $"""
            select {FieldIndexRow.Columns} from vibe.field_index i where {Sql.Join($" and ", where)}
            order by i.collection, i.path, i.kind limit {limit}
            """,
            static row => FieldIndexRow.Read(row),
            cancellationToken);
    }

    /// <summary>Drops an index or a suggestion. False when there is none.</summary>
    public async Task<bool> DropAsync(Caller caller, FieldIndexName name, CancellationToken cancellationToken)
    {
        var batch = database.CreateBatch(caller.ToRequestContext(), Access.Write);
        var forgotten = batch.Execute($"delete from vibe.field_index i where {Is($"i", name)} and i.state = 1");
        var dropped = batch.Execute($"""
            update vibe.field_index i set state = 5, serving = false, drop_time = now(), suggestion_count = 0, build_cursor = null, error = ''
            where {Is($"i", name)} and i.state in (2, 3, 4)
            """);
        await batch.RunAsync(cancellationToken);
        return forgotten.Value + dropped.Value > 0;
    }

    private static Sql Is(Sql alias, FieldIndexName name) =>
        $"{alias}.collection = {name.Collection} and {alias}.path = {name.Path} and {alias}.kind = {name.Kind}";

    private async Task<FieldIndexRow?> WriteAsync(Caller caller, Sql statement, CancellationToken cancellationToken)
    {
        var batch = database.CreateBatch(caller.ToRequestContext(), Access.Write);
        var result = batch.QueryFirst(statement, static row => FieldIndexRow.Read(row));
        await batch.RunAsync(cancellationToken);
        return result.Value;
    }
}
