using System.Collections.Immutable;
using Vibe.Postgres.Sessions;
using Vibe.Postgres.Tests;
using Vibe.Server.Documents.Queries;
using Vibe.Server.Kernel;

namespace Vibe.Server.Tests.Documents.Queries;

/// <summary>
/// Enough documents that a wrong plan reads many times what a right one does: 12,000 in one collection, of 200 owners, half
/// of them public, a tenth for users, a tenth shared with Ann, 3,000 owned by Max.
/// </summary>
public sealed class PlanCorpus(EmbeddedClusterFixture postgres) : IAsyncLifetime
{
    internal const string Collection = "things";
    internal const string Size = "12000";

    internal static readonly Caller Ann = User("did:web:ann", "documents:*:read");
    internal static readonly Caller Max = User("did:web:max", "documents:*:read");
    internal static readonly Caller Crawler = new()
    {
        Did = "did:web:crawler", App = "did:web:crawler", Principals = ["did:web:crawler"], Scopes = Scopes.AllDocuments,
        Privileges = Scopes.Parse($"documents:{Collection}:read"),
    };

    internal static readonly Caller Elsewhere = User("did:web:ann", "documents:elsewhere:read");
    internal static readonly ImmutableArray<IndexedFields> Indexed = [Fields("data.state"), Fields("data.n"), Fields("data.name")];
    internal static readonly ImmutableArray<IndexedFields> WithComposites =
        [.. Indexed, Fields("data.state, data.n"), Fields("data.state, data.name"), Fields("data.state, data.third, data.n")];

    internal Database Database { get; private set; } = null!;

    public async Task InitializeAsync()
    {
        Database = await postgres.CreateDatabaseAsync(typeof(Caller).Assembly);
        await Database.Owner.ExecuteAsync(
            $$"""
            insert into vibe.field_index (collection, path, kind, state, keys, serving) values ({{Collection}}, 'data.text', 2, 3, '{text}', true)
            """,
            CancellationToken.None);
        foreach (var fields in WithComposites)
        {
            await Database.Owner.ExecuteAsync(
                $"""
                insert into vibe.field_index (collection, path, kind, state, keys, group_keys, serving)
                values ({Collection}, {fields.Text}, 1, 3, {fields.Last.Keys}, {fields.EqualKeys}, true)
                """,
                CancellationToken.None);
        }

        // By the superuser, for all owners at once; the triggers do what they do for everybody.
        await Database.Admin.ExecuteAsync(
            $$$"""
            insert into vibe.documents (id, collection, owner_did, data, acl, edges)
            select ('00000000-0000-7000-8000-' || lpad(i::text, 12, '0'))::uuid, {{{Collection}}},
              case when i % 4 = 0 then 'did:web:max' else 'did:web:o' || i % 200 end,
              jsonb_build_object('state', (array['open', 'open', 'done', 'held'])[1 + i / 10 % 4], 'n', i * 7919 % 12000, 'name', md5('n' || i), 'third', i % 3 = 0,
                'text', 'word' || i % 50 || ' common'),
              case when i % 10 < 5 then '{"read": {"allow": ["*"]}}' when i % 10 = 5 then '{"read": {"allow": ["users"]}}'
                when i % 10 = 6 then '{"read": {"allow": ["did:web:ann"]}}' else '{}' end::jsonb,
              case when i % 3 = 0 then jsonb_build_array(jsonb_build_object('label', 'to', 'target', '00000000-0000-7000-8000-000000000001')) else '[]' end
            from generate_series(1, 12000) i
            """,
            CancellationToken.None);
        await Database.Admin.ExecuteAsync($"analyze", CancellationToken.None);
    }

    public async Task DisposeAsync() => await Database.DisposeAsync();

    private static IndexedFields Fields(string text) => new(QueryReader.Fields(text, "path"));

    private static Caller User(string did, string scope) =>
        new() { Did = did, App = "did:web:app", Principals = [did, "users", "cert:did:web:gov#adult"], Scopes = Scopes.Parse(scope) };
}
