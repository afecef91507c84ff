using System.Collections.Concurrent;
using System.Collections.Frozen;
using System.Collections.Immutable;
using Vibe.Postgres.Sessions;
using Vibe.Server.Documents.Queries;

namespace Vibe.Server.Documents.FieldIndexes;

/// <summary>
/// Which value indexes are ready, as this node last saw it, and how often queries used them since they were last written
/// down. A dropped index keeps its entries until every node has looked again, see <see cref="FieldIndexBuilder"/>.
/// </summary>
internal sealed class FieldIndexCatalog(Database database, DocumentOptions options, TimeProvider time) : IDisposable
{
    private readonly ConcurrentDictionary<(string Collection, string Path, int Kind), long> _uses = new();
    private readonly SemaphoreSlim _refreshing = new(1, 1);
    private Snapshot? _snapshot;

    /// <summary>A collection's value indexes that queries may use.</summary>
    public ValueTask<ImmutableArray<IndexedFields>> ReadyAsync(string collection, CancellationToken cancellationToken)
    {
        var snapshot = Volatile.Read(ref _snapshot);
        return snapshot is not null && time.GetElapsedTime(snapshot.Taken) < options.FieldIndexRefresh
            ? ValueTask.FromResult(snapshot.Of(collection))
            : RefreshedAsync(collection, cancellationToken);
    }

    /// <summary>Counts that a query used the indexes.</summary>
    public void CountUse(string collection, ImmutableArray<string> paths)
    {
        foreach (var path in paths)
        {
            _uses.AddOrUpdate((collection, path, FieldIndexRow.Value), 1, static (_, count) => count + 1);
        }
    }

    /// <summary>Counts that a search used the text indexes of a collection.</summary>
    public void CountSearch(string collection) =>
        _uses.AddOrUpdate((collection, "", FieldIndexRow.Text), 1, static (_, count) => count + 1);

    /// <summary>Writes the counts down; on failure they are kept for the next time.</summary>
    public async Task FlushAsync(CancellationToken cancellationToken)
    {
        var taken = _uses.Keys.Select(key => (Key: key, Count: _uses.TryRemove(key, out var count) ? count : 0)).Where(static use => use.Count > 0).ToList();
        if (taken.Count == 0)
        {
            return;
        }

        try
        {
            await database.Owner.ExecuteAsync(
                $"""
                update vibe.field_index i set use_count = i.use_count + u.uses, last_use_time = now()
                from unnest({taken.Select(static use => use.Key.Collection).ToArray()}, {taken.Select(static use => use.Key.Path).ToArray()},
                  {taken.Select(static use => use.Key.Kind).ToArray()}, {taken.Select(static use => use.Count).ToArray()}) u(collection, path, kind, uses)
                where i.collection = u.collection and i.kind = u.kind and (i.path = u.path or u.kind = 2) and i.serving
                """,
                cancellationToken);
        }
        catch (Exception)
        {
            foreach (var (key, count) in taken)
            {
                _uses.AddOrUpdate(key, count, (_, more) => more + count);
            }

            throw;
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _refreshing.Dispose();

    private async ValueTask<ImmutableArray<IndexedFields>> RefreshedAsync(string collection, CancellationToken cancellationToken)
    {
        // One query refreshes for all; those who come meanwhile and have an answer that is not too old use that.
        await _refreshing.WaitAsync(cancellationToken);
        try
        {
            var snapshot = _snapshot;
            if (snapshot is null || time.GetElapsedTime(snapshot.Taken) >= options.FieldIndexRefresh)
            {
                var taken = time.GetTimestamp();
                var rows = await database.Owner.QueryAsync(
                    $"select i.collection, i.path from vibe.field_index i where i.kind = 1 and i.serving order by i.path collate \"C\"",
                    static row => (Collection: row.GetString(0), Fields: new IndexedFields(QueryReader.Fields(row.GetString(1), "path"))),
                    cancellationToken);
                snapshot = new Snapshot(taken, rows.GroupBy(static row => row.Collection, StringComparer.Ordinal).ToFrozenDictionary(
                    static group => group.Key, static group => group.Select(static row => row.Fields).ToImmutableArray(), StringComparer.Ordinal));
                Volatile.Write(ref _snapshot, snapshot);
            }

            return snapshot.Of(collection);
        }
        finally
        {
            _refreshing.Release();
        }
    }

    private sealed record Snapshot(long Taken, FrozenDictionary<string, ImmutableArray<IndexedFields>> Indexes)
    {
        public ImmutableArray<IndexedFields> Of(string collection) => Indexes.GetValueOrDefault(collection, []);
    }
}
