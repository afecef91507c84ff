using System.Collections.Immutable;
using System.Text.Json;
using System.Text.Json.Nodes;
using Vibe.Postgres.Sessions;
using Vibe.Postgres.Tests;
using Vibe.Server.Documents.Queries;
using Vibe.Server.Kernel;

namespace Vibe.Server.Tests.Documents.Queries;

/// <summary>
/// A database with random documents of several owners, with every kind of access rule, some changed, some deleted; and
/// what is known of them, so that a test can say what a query must find.
/// </summary>
public sealed class QueryCorpus(EmbeddedClusterFixture postgres) : IAsyncLifetime
{
    internal const string Collection = "things";
    internal const string Certificate = "cert:did:web:gov#adult";

    internal static readonly Caller Alice = User("did:web:alice");
    internal static readonly Caller Bob = User("did:web:bob", Certificate);
    internal static readonly Caller Robot = new() { Did = "did:web:robot", Principals = ["did:web:robot"], Scopes = Scopes.AllDocuments };
    internal static readonly Caller Crawler = new()
    {
        Did = "did:web:crawler", Principals = ["did:web:crawler"], Scopes = Scopes.AllDocuments, Privileges = Scopes.Parse($"documents:{Collection}:read"),
    };

    internal static readonly ImmutableArray<Caller> Callers = [Alice, Bob, Robot, Crawler, Caller.SignedOut];

    internal static readonly ImmutableArray<IndexedFields> Single = [Fields("data.a"), Fields("data.b"), Fields("data.`odd key`")];
    internal static readonly ImmutableArray<IndexedFields> Composite =
        [Fields("data.a, data.b"), Fields("data.b, data.a"), Fields("data.c, data.`odd key`, data.b"), Fields("data.a.b, data.a, data.c")];

    private static readonly string[] Principals = ["*", "users", "did:web:alice", "did:web:bob", "did:web:robot", "did:web:crawler", Certificate, "did:web:nobody"];

    internal sealed record Known(DocumentView View, int Audience, string[] Readers, string[] Denied);

    internal Database Database { get; private set; } = null!;

    internal RandomQueries Random { get; } = new(7);

    internal ImmutableArray<Known> Documents { get; private set; } = [];

    public async Task InitializeAsync()
    {
        Database = await postgres.CreateDatabaseAsync(typeof(Caller).Assembly);
        await IndexFieldsAsync();
        for (var i = 0; i < 60; i++)
        {
            await WriteAsync(Random.Pick<Caller>([Alice, Bob, Robot]));
        }

        Documents = [.. await Database.Admin.QueryAsync(
            $"""
            select id, collection, owner_did, app_did, key, data, create_time, update_time, revision, audience::int, readers, denied
            from vibe.documents where delete_time is null
            """,
            Read,
            CancellationToken.None)];
        foreach (var (view, _, _, _) in Documents)
        {
            Random.KnownIds.Add(view.Id.ToString());
            Random.KnownNames.AddRange([view.Owner, view.App!, view.Key ?? "k"]);
            Random.KnownTimes.AddRange([view.CreateTime, view.UpdateTime]);
        }
    }

    public async Task DisposeAsync() => await Database.DisposeAsync();

    /// <summary>Whether the rules let the caller read the document: what the row policies must come to.</summary>
    internal static bool MayRead(Caller caller, Known document)
    {
        if (caller.Did == document.View.Owner)
        {
            return true;
        }

        var letIn = document.Audience == 2 || (document.Audience == 1 && caller.Principals.Contains("users"))
            || document.Readers.Intersect(caller.Principals).Any() || caller.Privileges.MayRead(Collection);
        return letIn && !document.Denied.Intersect(caller.Principals).Any();
    }

    internal static RequestContext ContextOf(Caller caller) =>
        new(caller.Did, caller.App, caller.Principals, caller.Scopes.Read, caller.Scopes.Write, caller.Privileges.Read, caller.Privileges.Write);

    private static Caller User(string did, params string[] certificates) => new()
    {
        Did = did,
        App = "did:web:app",
        Principals = [did, "users", .. certificates],
        Scopes = Scopes.AllDocuments,
    };

    private static Known Read(Row row) => new(
        new DocumentView
        {
            Id = row.GetGuid(0),
            Collection = row.GetString(1),
            Owner = row.GetString(2),
            App = row.GetString(3),
            Key = row.GetStringOrNull(4),
            Data = JsonDocument.Parse(row.GetJson(5), DocumentView.BodyOptions).RootElement,
            CreateTime = TimeText.FromDateTime(row.GetTimestamp(6).UtcDateTime),
            UpdateTime = TimeText.FromDateTime(row.GetTimestamp(7).UtcDateTime),
            Revision = row.GetInt64(8),
        },
        row.GetInt32(9),
        row.GetTextArray(10),
        row.GetTextArray(11));

    private async Task IndexFieldsAsync()
    {
        foreach (var fields in Single.AddRange(Composite))
        {
            await Database.ExecuteAsync(
                ContextOf(Alice),
                $"""
                insert into vibe.field_index (collection, path, kind, state, keys, group_keys)
                values ({Collection}, {fields.Text}, 1, 2, {fields.Last.Keys}, {fields.EqualKeys})
                """,
                CancellationToken.None);
        }
    }

    private static IndexedFields Fields(string text) => new(QueryReader.Fields(text, "path"));

    // Several documents a transaction, because those have the same creation time.
    private async Task WriteAsync(Caller caller)
    {
        var batch = Database.CreateBatch(ContextOf(caller), Access.Write);
        for (var i = 0; i < 6; i++)
        {
            var id = Guid.CreateVersion7();
            var key = Random.Next(4) == 0 ? $"k{id}" : null;
            var data = JsonSerializer.SerializeToUtf8Bytes(Random.Body());
            var acl = JsonSerializer.SerializeToUtf8Bytes(Acl());
            batch.Execute($"""
                insert into vibe.documents (id, collection, owner_did, key, data, acl)
                values (coalesce(vibe.keyed_id({caller.Did}, {Collection}, {key}), {id}), {Collection}, {caller.Did}, {key}, {data}, {acl})
                """);
            if (Random.Next(3) == 0)
            {
                var changed = JsonSerializer.SerializeToUtf8Bytes(Random.Body());
                batch.Execute($"update vibe.documents set data = {changed} where id = {id}");
            }

            if (Random.Next(10) == 0)
            {
                batch.Execute($"update vibe.documents set delete_time = now() where id = {id}");
            }
        }

        await batch.RunAsync(CancellationToken.None);
    }

    private JsonObject Acl() => Random.Next(3) == 0 ? [] : new JsonObject
    {
        ["read"] = new JsonObject
        {
            ["allow"] = new JsonArray([.. Some(Principals).Select(name => (JsonNode)name)]),
            ["deny"] = Random.Next(4) == 0 ? new JsonArray([.. Some(Principals[2..]).Select(name => (JsonNode)name)]) : [],
        },
    };

    private IEnumerable<string> Some(string[] names) => Enumerable.Range(0, Random.Next(3)).Select(_ => Random.Pick(names)).Distinct();
}
