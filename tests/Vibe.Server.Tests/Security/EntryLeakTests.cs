using Npgsql;
using Vibe.Documents.V1;
using Vibe.Postgres.Tests;
using Vibe.Server.Documents.FieldIndexes;
using Vibe.Server.Tests.Documents;

namespace Vibe.Server.Tests.Security;

/// <summary>
/// The app role reads the entries of field indexes directly, under a policy of their own. Attacks on it with SQL: whatever
/// looks at values may be put anywhere in a statement and must not see an entry of a document the caller may not read.
/// </summary>
[Collection(PostgresCollection.Name)]
public sealed class EntryLeakTests(DocumentsHost host) : IClassFixture<DocumentsHost>
{
    // Hidden entries hold the text s3cret and the number 7; the caller's own hold neither.
    private const string Secret = "s3cret";

    private static readonly string[] Attacks =
    [
        // A function that tells what it was given, so cheap that the planner would call it first.
        "select doc_id from vibe.doc_fields f where pg_temp.leak(f.str)",
        "select doc_id from vibe.doc_fields f where pg_temp.leak(f.str) and f.collection = 'COLLECTION' and f.path = 'data.secret' and f.audience = 2",
        "select doc_id from vibe.doc_fields f where f.owner_did <> '' and pg_temp.leak(f.str) or f.rank = 9",
        "select doc_id from vibe.doc_fields f where not pg_temp.leak(f.str || f.owner_did)",
        "select f.doc_id from vibe.doc_fields f join vibe.documents d on d.id = f.doc_id and pg_temp.leak(f.str || d.data::text)",
        "select d.id from vibe.documents d left join vibe.doc_fields f on pg_temp.leak(f.str) and f.doc_id = d.id",
        "select f.doc_id from vibe.doc_fields f, lateral (select pg_temp.leak(f.str) offset 0) x",
        "select f.doc_id from vibe.doc_fields f full join vibe.doc_acl a on a.doc_id = f.doc_id where pg_temp.leak(f.str)",
        "select doc_id from vibe.doc_fields f order by pg_temp.leak(f.str), f.num limit 1",
        "select count(*) from vibe.doc_fields f group by pg_temp.leak(f.str)",
        "select count(*) filter (where pg_temp.leak(f.str)) from vibe.doc_fields f",
        "select max(f.str) over (partition by pg_temp.leak(f.str)) from vibe.doc_fields f",
        "select 1 where exists (select from vibe.doc_fields f where pg_temp.leak(f.str))",
        "with f as not materialized (select * from vibe.doc_fields) select doc_id from f where pg_temp.leak(str)",
        "select doc_id from vibe.doc_fields f tablesample system (100) where pg_temp.leak(f.str)",
        "select doc_id from vibe.doc_fields f where pg_temp.leak(f.grp)",
        "select doc_id from vibe.doc_fields f where f.collection = 'COLLECTION' and f.path = 'data.secret, data.n' and f.audience = 2 and pg_temp.leak(f.grp)",
        "select doc_id from vibe.doc_fields f where f.grp >= '' and (pg_temp.leak(f.grp || f.str) or f.num = 7) order by f.grp",
        "select count(*) from vibe.doc_fields f group by f.path, pg_temp.leak(f.grp)",
        "select doc_id from vibe.share_fields f where pg_temp.leak(f.str)",
        "select doc_id from vibe.share_fields f where f.principal <> '' and pg_temp.leak(f.str || f.grp) or f.rank = 9",
        "select s.doc_id from vibe.share_fields s join vibe.documents d on d.id = s.doc_id and pg_temp.leak(s.str || d.data::text)",
        "select doc_id from vibe.share_fields f order by pg_temp.leak(f.grp || f.str), f.num limit 1",
        "select count(*) filter (where pg_temp.leak(f.str || f.grp)) from vibe.share_fields f group by f.path",
        // Errors that tell the value.
        "select doc_id from vibe.share_fields f where f.num = 1 / (f.num - 7)",
        "select doc_id from vibe.share_fields f where f.str ~ (case when f.str = 's3cret' then '[' else '' end)",
        "select doc_id from vibe.share_fields f where 1 / (position('s3cret' in f.grp) - 4) = 2",
        "select doc_id from vibe.doc_fields f where f.grp::int = 1",
        "select doc_id from vibe.doc_fields f where 1 / (position('s3cret' in f.grp) - 4) = 2",
        "select doc_id from vibe.doc_fields f where f.grp ~ (case when f.grp like '%s3cret' then '[' else '' end)",
        "select doc_id from vibe.doc_fields f where f.str::int = 1",
        "select doc_id from vibe.doc_fields f where f.str::jsonb is not null",
        "select doc_id from vibe.doc_fields f where f.num = 1 / (f.num - 7)",
        "select sum(1 / (f.num - 7)) from vibe.doc_fields f",
        "select doc_id from vibe.doc_fields f order by 1 / (f.num - 7)",
        "select doc_id from vibe.doc_fields f where f.str ~ (case when f.str = 's3cret' then '[' else '' end)",
        "select d.id from vibe.documents d where (d.data ->> 'secret')::int = 1",
        "select d.id from vibe.documents d where 1 / ((d.data ->> 'n')::float8 - 7) = 2",
        // What is told of all rows together.
        "select max(f.str) from vibe.doc_fields f",
        "select max(f.grp) from vibe.doc_fields f",
        "select string_agg(f::text, ',') from vibe.share_fields f",
        "select string_agg(f.grp, ',') from vibe.doc_fields f where f.path = 'data.n, data.secret' or f.grp <> ''",
        "select string_agg(f.str, ',') from vibe.doc_fields f",
        "select string_agg(f::text, ',') from vibe.doc_fields f",
        "select percentile_disc(array[0, 0.25, 0.5, 0.75, 1]) within group (order by f.str)::text from vibe.doc_fields f",
        "select (select f.str from vibe.doc_fields f order by f.rank desc, f.str desc limit 1)",
        "select string_agg(concat_ws(',', most_common_vals, histogram_bounds), ',') from pg_stats where schemaname = 'vibe'",
        "select string_agg(s::text, ',') from pg_stats_ext s",
        "select stavalues1::text from pg_statistic where starelid = 'vibe.doc_fields'::regclass",
        "explain (verbose) select doc_id from vibe.doc_fields f where f.str < 'z' and f.num < 100 order by f.str",
        "explain (verbose) select doc_id from vibe.doc_fields f where f.grp < '5' and f.num < 100 order by f.grp",
    ];

    [Fact]
    public async Task Nothing_sees_a_hidden_value()
    {
        var (mallory, collection) = await SecretsAsync();
        await host.Database.Admin.ExecuteAsync($"analyze vibe.documents, vibe.doc_fields, vibe.share_fields", CancellationToken.None);
        foreach (var attack in Attacks)
        {
            await AttackAsync(mallory, attack.Replace("COLLECTION", collection, StringComparison.Ordinal));
        }
    }

    private async Task AttackAsync(Someone mallory, string attack)
    {
        await using var session = await RawSession.OpenAsync(host, mallory);
        await session.ExecuteAsync("""
            create function pg_temp.leak(value text) returns boolean language plpgsql cost 0.0001 as $$ begin
              perform set_config('leak.seen', concat(current_setting('leak.seen', true), ',', value), false);
              return true;
            end $$
            """);

        // Whatever ways the planner may be led to.
        foreach (var setting in new[] { "", "enable_indexscan", "enable_seqscan", "enable_nestloop", "enable_hashjoin" })
        {
            if (setting.Length > 0)
            {
                await session.ExecuteAsync($"set {setting} = off");
            }

            var told = "";
            try
            {
                told = string.Join('|', await session.QueryAsync(attack));
            }
            catch (PostgresException error)
            {
                told = $"{error.MessageText} {error.Detail} {error.Where} {error.Hint}";
                var isTelling = error.SqlState is PostgresErrorCodes.DivisionByZero or PostgresErrorCodes.InvalidRegularExpression;
                Assert.False(isTelling, $"{attack}: {told}");
            }

            Assert.False(told.Contains(Secret, StringComparison.Ordinal), $"{attack}: {told}");
        }

        var seen = Assert.Single(await session.QueryAsync("select coalesce(current_setting('leak.seen', true), '')"))!;
        Assert.False(seen.Contains(Secret, StringComparison.Ordinal), $"{attack}: {seen}");
        Assert.True(attack.Contains("leak(", StringComparison.Ordinal) == seen.Length > 0, $"{attack}: {seen}");
    }

    [Fact]
    public async Task An_entry_left_by_an_index_that_is_being_removed_follows_the_rules_of_its_document()
    {
        var (alice, mallory, collection) = (host.User(), host.User(), host.Collection());
        await IndexAsync(collection, "data.n, data.secret");
        var document = await alice.CreateAsync(collection, """{"secret":"s3cret"}""", Someone.Acl(["*"]));
        await host.Service.DropFieldIndex(new() { Collection = collection, Path = "data.n, data.secret", Kind = FieldIndex.Types.Kind.Value }, alice.Call());
        Assert.Equal(BuildStep.Worked, await host.Builder.StepAsync(CancellationToken.None));
        await using var session = await RawSession.OpenAsync(host, mallory);
        var entries = $"select str from vibe.doc_fields where collection = '{collection}'";
        Assert.Equal([Secret], await session.QueryAsync(entries));

        await alice.UpdateAsync(document.Id, acl: new AccessControl());

        Assert.Empty(await session.QueryAsync(entries));
        await host.BuildAsync();
    }

    // Everything a caller must not see by its entries, whatever the reason; and one document of their own.
    private async Task<(Someone Mallory, string Collection)> SecretsAsync()
    {
        const string Certificate = "cert:did:web:gov#adult";
        var (alice, user, collection) = (host.User(), host.User("documents:*:write", Certificate), host.Collection());
        var mallory = user.With("documents:elsewhere:read");
        await IndexAsync(collection, "data.secret", "data.n", "data.secret, data.n", "data.n, data.secret");
        const string Hidden = """{"secret":"s3cret","n":7}""";
        await alice.CreateAsync(collection, Hidden);
        await alice.CreateAsync(collection, Hidden, Someone.Acl(["users"]));
        await alice.CreateAsync(collection, Hidden, Someone.Acl([mallory.Did]));
        await alice.CreateAsync(collection, Hidden, Someone.Acl(["*", mallory.Did], deny: [mallory.Did]));
        await user.CreateAsync(collection, Hidden);
        var closed = await alice.CreateAsync(collection, Hidden, Someone.Acl(["*"]));
        await alice.UpdateAsync(closed.Id, acl: new AccessControl());
        var gone = await alice.CreateAsync(collection, Hidden, Someone.Acl(["*"]));
        await alice.DeleteAsync(gone.Id);
        await alice.CreateAsync(collection, """{"secret":"visible","n":1}""", Someone.Acl(["*"]));

        // Shared with the caller by name where their token reaches.
        const string Elsewhere = "elsewhere";
        await IndexAsync(Elsewhere, "data.secret", "data.n", "data.secret, data.n", "data.n, data.secret");
        await alice.CreateAsync(Elsewhere, """{"secret":"visible","n":1}""", Someone.Acl([mallory.Did]));
        await alice.CreateAsync(Elsewhere, Hidden, Someone.Acl([mallory.Did], deny: [Certificate]));
        await alice.CreateAsync(Elsewhere, Hidden, Someone.Acl([host.User().Did]));
        var unshared = await alice.CreateAsync(Elsewhere, Hidden, Someone.Acl([mallory.Did]));
        await alice.UpdateAsync(unshared.Id, acl: new AccessControl());
        var denied = await alice.CreateAsync(Elsewhere, Hidden, Someone.Acl([mallory.Did]));
        await alice.UpdateAsync(denied.Id, acl: Someone.Acl([mallory.Did], deny: [Certificate]));
        var deleted = await alice.CreateAsync(Elsewhere, Hidden, Someone.Acl([mallory.Did]));
        await alice.DeleteAsync(deleted.Id);
        var changed = await alice.CreateAsync(Elsewhere, Hidden, Someone.Acl([mallory.Did]));
        await alice.UpdateAsync(changed.Id, """{"secret":"visible","n":2}""");
        return (mallory, collection);
    }

    private async Task IndexAsync(string collection, params string[] paths)
    {
        foreach (var path in paths)
        {
            await host.Service.ApproveFieldIndex(
                new() { FieldIndex = new() { Collection = collection, Path = path, Kind = FieldIndex.Types.Kind.Value } }, host.User().Call());
        }

        await host.BuildAsync();
    }
}
