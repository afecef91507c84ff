using Npgsql;
using Vibe.Documents.V1;
using Vibe.Postgres.Tests;
using Vibe.Server.Tests.Documents;

namespace Vibe.Server.Tests.Security;

/// <summary>Attacks with SQL of their own as the app role: the row policies, grants and triggers hold without the store.</summary>
[Collection(PostgresCollection.Name)]
public sealed class RawSqlTests(DocumentsHost host) : IClassFixture<DocumentsHost>
{
    private const string Denied = "42501";

    [Fact]
    public async Task A_cheap_leaky_function_is_called_for_visible_rows_only()
    {
        var (alice, mallory, collection) = (host.User(), host.User(), host.Collection());
        await alice.CreateAsync(collection, """{"secret":"s3cret"}""");
        await mallory.CreateAsync(collection, """{"secret":"own"}""");
        await IndexAsync(collection);
        await using var session = await RawSession.OpenAsync(host, mallory);

        // Text to int tells the text in its error; put first and made cheap it would see every row.
        foreach (var from in new[] { "vibe.documents d", "vibe.doc_fields f join vibe.documents d on d.id = f.doc_id", "vibe.search('" + collection + "', 's3cret or own') s join vibe.documents d using (id)" })
        {
            var error = await Assert.ThrowsAsync<PostgresException>(() => session.QueryAsync(
                $"select d.id from {from} where (d.data ->> 'secret')::int = 1 and d.collection = '{collection}'"));
            Assert.DoesNotContain("s3cret", error.MessageText, StringComparison.Ordinal);
            Assert.Contains("own", error.MessageText, StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task A_leaky_function_on_an_index_entry_sees_no_denied_or_unscoped_document()
    {
        var (alice, mallory, collection) = (host.User(), host.User(), host.Collection());
        await IndexAsync(collection);
        await alice.CreateAsync(collection, """{"secret":"s3cret"}""", Someone.Acl(["*"], deny: [mallory.Did]));
        await mallory.CreateAsync(collection, """{"secret":"s3cret"}""");
        await alice.CreateAsync(collection, """{"secret":"s3cret"}""", Someone.Acl(["users"]));
        await alice.CreateAsync(collection, """{"secret":"open"}""", Someone.Acl(["*"]));
        await using var session = await RawSession.OpenAsync(host, mallory.With("documents:elsewhere:read"));
        var error = await Assert.ThrowsAsync<PostgresException>(() => session.QueryAsync(
            $"select f.doc_id from vibe.doc_fields f where f.collection = '{collection}' and f.str::int = 1"));
        Assert.DoesNotContain("s3cret", error.MessageText, StringComparison.Ordinal);
        Assert.Contains("open", error.MessageText, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("data", "[]")]
    [InlineData("data", "null")]
    [InlineData("acl", "\"*\"")]
    [InlineData("edges", "{}")]
    public async Task A_body_a_rule_and_edges_are_of_their_kinds_whoever_writes(string column, string json)
    {
        var (alice, collection) = (host.User(), host.Collection());
        var document = await alice.CreateAsync(collection);
        await using var session = await RawSession.OpenAsync(host, alice);
        Assert.Equal(PostgresErrorCodes.CheckViolation, await session.FailureOf(
            $"insert into vibe.documents (id, collection, owner_did, {column}) values (gen_random_uuid(), '{collection}', '{alice.Did}', '{json}')"));
        Assert.Equal(PostgresErrorCodes.CheckViolation, await session.FailureOf($"update vibe.documents set {column} = '{json}' where id = '{document.Id}'"));
    }

    [Fact]
    public async Task Without_a_context_only_public_rows_are_there_and_nothing_can_be_written()
    {
        var (alice, collection) = (host.User(), host.Collection());
        var open = await alice.CreateAsync(collection, "{}", Someone.Acl(["*"]));
        await alice.CreateAsync(collection, "{}", Someone.Acl(["users"]));
        await alice.CreateAsync(collection);
        await using var session = await RawSession.OpenAsync(host, null);
        Assert.Equal([open.Id], await session.QueryAsync($"select id from vibe.documents where collection = '{collection}'"));
        Assert.Equal(Denied, await session.FailureOf($"insert into vibe.documents (id, collection, owner_did) values (gen_random_uuid(), '{collection}', '{alice.Did}')"));
        Assert.Equal(0, await session.ExecuteAsync($"update vibe.documents set data = '{"{}"}' where collection = '{collection}'"));
        Assert.Empty(await session.QueryAsync("select caller_did from vibe.requests"));
        Assert.Empty(await session.QueryAsync($"select doc_id from vibe.doc_acl where collection = '{collection}'"));
    }

    [Fact]
    public async Task A_context_does_not_outlive_its_transaction_on_a_connection()
    {
        await using var session = await RawSession.OpenAsync(host, null);
        await session.ExecuteAsync("begin; select set_config('vibe.me', 'did:web:x', true); commit");
        Assert.Equal("", Assert.Single(await session.QueryAsync("select coalesce(current_setting('vibe.me', true), '')")));
        await Assert.ThrowsAsync<PostgresException>(() => session.ExecuteAsync("select set_config('vibe.me', 'did:web:x', true); select 1/0"));
        Assert.Null(Assert.Single(await session.QueryAsync("select vibe.me()")));
    }

    [Fact]
    public async Task The_pool_keeps_callers_apart_after_success_error_and_cancellation()
    {
        var (alice, bob, collection) = (host.User(), host.User(), host.Collection());
        var document = await alice.CreateAsync(collection);
        for (var i = 0; i < 40; i++)
        {
            using var cancelled = new CancellationTokenSource();
            var attempt = host.Service.ListDocuments(
                new() { Collection = collection, Scope = DocumentScope.All }, new FakeCall(alice.Caller, cancelled.Token));
            await cancelled.CancelAsync();
            await Task.WhenAny(attempt);
            await CallFailure.Of(alice.CreateAsync(collection, id: document.Id));
            Assert.Empty((await host.Visitor().ListAsync(collection)).Documents);
            Assert.Equal("DOCUMENT_NOT_FOUND", (await CallFailure.Of(bob.GetAsync(document.Id))).Reason);
            _ = attempt.Exception;
        }
    }

    [Fact]
    public async Task Compiled_columns_owner_and_revision_cannot_be_written()
    {
        var (alice, collection) = (host.User(), host.Collection());
        var document = await alice.CreateAsync(collection);
        await using var session = await RawSession.OpenAsync(host, alice);
        foreach (var column in new[] { "audience = 2", "readers = '{x}'", "writers = '{x}'", "denied = '{}'", "owner_did = 'x'", "app_did = 'x'",
            "revision = 9", "txid = '1'", "create_time = now()", "update_time = now()", "id = gen_random_uuid()", "collection = 'x'", "key = 'x'" })
        {
            Assert.Equal(Denied, await session.FailureOf($"update vibe.documents set {column} where id = '{document.Id}'"));
        }

        Assert.Equal(Denied, await session.FailureOf($"insert into vibe.documents (id, collection, owner_did, audience) values (gen_random_uuid(), 'x', '{alice.Did}', 2)"));
        Assert.Equal(Denied, await session.FailureOf($"delete from vibe.documents where id = '{document.Id}'"));
        Assert.Equal(Denied, await session.FailureOf("truncate vibe.documents"));
    }

    [Fact]
    public async Task Nobody_inserts_for_another_owner_or_takes_the_id_of_another_ones_key()
    {
        var (alice, mallory, collection) = (host.User(), host.User(), host.Collection());
        await using var session = await RawSession.OpenAsync(host, mallory);
        Assert.Equal(Denied, await session.FailureOf($"insert into vibe.documents (id, collection, owner_did) values (gen_random_uuid(), '{collection}', '{alice.Did}')"));
        var stolen = $"vibe.keyed_id('{alice.Did}', '{collection}', 'k')";
        Assert.Equal("VB004", await session.FailureOf($"insert into vibe.documents (id, collection, owner_did) values ({stolen}, '{collection}', '{mallory.Did}')"));
        Assert.Equal("VB004", await session.FailureOf($"insert into vibe.documents (id, collection, owner_did, key) values ({stolen}, '{collection}', '{mallory.Did}', 'k')"));
        await alice.CreateAsync(collection, key: "k");
    }

    [Fact]
    public async Task Others_documents_and_tombstones_cannot_be_changed()
    {
        var (alice, mallory, writer, collection) = (host.User(), host.User(), host.User(), host.Collection());
        var open = await alice.CreateAsync(collection, "{}", Someone.Acl(["*"], write: [writer.Did]));
        var gone = await alice.CreateAsync(collection, "{}", Someone.Acl(["*"], write: [writer.Did]));
        await alice.DeleteAsync(gone.Id);
        await using var stranger = await RawSession.OpenAsync(host, mallory);
        Assert.Equal(0, await stranger.ExecuteAsync($"update vibe.documents set data = '{"{}"}', delete_time = null where collection = '{collection}'"));
        Assert.Equal(Denied, await stranger.FailureOf(
            $"insert into vibe.documents (id, collection, owner_did) values ('{open.Id}', '{collection}', '{mallory.Did}') on conflict (id) do update set data = excluded.data"));
        await using var helper = await RawSession.OpenAsync(host, writer);
        Assert.Equal(0, await helper.ExecuteAsync($"update vibe.documents set delete_time = null where id = '{gone.Id}'"));
        Assert.Equal("VB001", await helper.FailureOf($"update vibe.documents set acl = '{"{}"}' where id = '{open.Id}'"));
        Assert.Equal(1, await helper.ExecuteAsync($"update vibe.documents set data = '{"{}"}' where id = '{open.Id}'"));
    }

    [Fact]
    public async Task Scopes_hold_in_the_database()
    {
        var (alice, notes, tasks) = (host.User(), host.Collection(), host.Collection());
        var note = await alice.CreateAsync(notes);
        var task = await alice.CreateAsync(tasks);
        var open = await alice.CreateAsync(tasks, "{}", Someone.Acl(["*"]));
        await IndexAsync(tasks);
        await using var session = await RawSession.OpenAsync(host, alice.With($"documents:{notes}:read"));
        Assert.Equal(new[] { note.Id, open.Id }.Order(), (await session.QueryAsync($"select id from vibe.documents where owner_did = '{alice.Did}'")).Order());
        Assert.Equal([open.Id], await session.QueryAsync($"select doc_id from vibe.doc_fields where owner_did = '{alice.Did}'"));
        Assert.Equal(0, await session.ExecuteAsync($"update vibe.documents set data = '{"{}"}' where id in ('{note.Id}', '{task.Id}', '{open.Id}')"));
        Assert.Equal(Denied, await session.FailureOf($"insert into vibe.documents (id, collection, owner_did) values (gen_random_uuid(), '{notes}', '{alice.Did}')"));
    }

    [Fact]
    public async Task Side_tables_and_projections_are_out_of_reach()
    {
        await using var session = await RawSession.OpenAsync(host, host.User());
        foreach (var sql in new[]
        {
            "select * from vibe.doc_search", "select * from vibe.doc_edges",
            "insert into vibe.doc_fields values ('c', 'data.a', '', 0, 0, '', gen_random_uuid(), 'x', 2, now(), '{}')",
            "update vibe.doc_fields set audience = 2", "delete from vibe.doc_fields", "update vibe.share_fields set principal = '*'", "delete from vibe.share_fields",
            "insert into vibe.share_fields values ('users', 'c', 'data.a', '', 0, 0, '', gen_random_uuid(), now(), '{}')", "select vibe.documents_share_fields()", "delete from vibe.doc_edges",
            "insert into vibe.doc_acl (principal, collection, doc_id, create_time) values ('*', 'c', gen_random_uuid(), now())", "delete from vibe.doc_acl",
            "insert into vibe.doc_past_rules (doc_id, collection, owner_did, audience, readers, denied) values (gen_random_uuid(), 'c', 'x', 2, '{}', '{}')",
            "update vibe.doc_past_rules set audience = 2", "delete from vibe.doc_past_rules",
            "select vibe.document_words('c', '{}')", "select vibe.documents_share()", "select vibe.documents_remember_rules()",
            "select vibe.documents_link()", "select vibe.documents_index()", "select vibe.documents_guard()",
            "create table vibe.t (a int)", "create function vibe.f() returns int language sql as 'select 1'",
            "alter table vibe.documents disable row level security", "drop policy documents_read on vibe.documents",
            "delete from vibe.requests", "update vibe.requests set fingerprint = ''",
        })
        {
            // 0A000: a trigger function called by hand.
            Assert.Contains(await session.FailureOf(sql), new[] { Denied, "0A000" });
        }
    }

    [Fact]
    public async Task Request_ids_of_others_cannot_be_seen()
    {
        var (alice, mallory) = (host.User(), host.User());
        var request = Guid.NewGuid().ToString();
        await alice.CreateAsync(host.Collection(), requestId: request);
        await using var session = await RawSession.OpenAsync(host, mallory);
        Assert.Empty(await session.QueryAsync($"select request_id from vibe.requests where request_id = '{request}'"));
        Assert.Equal(Denied, await session.FailureOf(
            $"insert into vibe.requests (caller_did, request_id, fingerprint, document_ids, revisions) values ('{alice.Did}', gen_random_uuid(), '', '{"{}"}', '{"{}"}')"));
    }

    private async Task IndexAsync(string collection)
    {
        foreach (var kind in new[] { FieldIndex.Types.Kind.Value, FieldIndex.Types.Kind.Text })
        {
            await host.Service.ApproveFieldIndex(
                new() { FieldIndex = new() { Collection = collection, Path = "data.secret", Kind = kind } }, host.User().Call());
        }

        await host.BuildAsync();
    }
}
