using Vibe.Documents.V1;
using Vibe.Postgres.Tests;
using Vibe.Server.Tests.Documents;
using Function = Vibe.Documents.V1.Aggregation.Types.Function;

namespace Vibe.Server.Tests.Security;

/// <summary>Privileges of apps that act as themselves: how far they reach, and what they never open.</summary>
[Collection(PostgresCollection.Name)]
public sealed class PrivilegeTests(DocumentsHost host) : IClassFixture<DocumentsHost>
{
    private const string Denied = "42501";

    [Fact]
    public async Task A_privilege_to_read_reaches_the_documents_of_one_collection_in_every_way_and_no_others()
    {
        var (alice, notes, diary) = (host.User(), host.Collection(), host.Collection());
        await IndexAsync(notes);
        var hub = await alice.CreateAsync(notes, """{"n":0}""");
        var note = await alice.CreateAsync(notes, """{"n":7,"text":"s3cret"}""", edges: new Edge { Label = "to", Target = hub.Id });
        var shared = await alice.CreateAsync(notes, """{"n":8}""", Someone.Acl(["users"]));
        var entry = await alice.CreateAsync(diary, """{"n":9}""");
        var app = host.AppItself($"documents:{notes}:read");

        Assert.Equal(note.Id, (await app.GetAsync(note.Id)).Id);
        Assert.Equal(3, (await app.ListAsync(notes)).Documents.Count);
        Assert.Equal(3, (await app.ListAsync(notes, DocumentScope.Shared)).Documents.Count);
        Assert.Equal([note.Id], (await app.ListAsync(notes, filter: "data.n = 7")).Documents.Select(static document => document.Id));
        Assert.Equal([shared.Id], (await app.ListAsync(notes, filter: "data.n = 8")).Documents.Select(static document => document.Id));
        Assert.Equal([shared.Id, note.Id, hub.Id], (await app.ListAsync(notes, orderBy: "data.n desc")).Documents.Select(static document => document.Id));
        Assert.Equal([note.Id], (await app.SearchAsync(notes, "s3cret")).Documents.Select(static document => document.Id));
        Assert.Equal([note.Id], (await app.EdgesAsync(hub.Id, Direction.In)).Edges.Select(static edge => edge.Source));
        Assert.Equal(3, await CountAsync(app, notes));

        Assert.Empty((await app.ListAsync(diary)).Documents);
        await Fails("DOCUMENT_NOT_FOUND", app.GetAsync(entry.Id));
        Assert.Empty((await app.ListAsync(notes, DocumentScope.Own)).Documents);
        Assert.Empty((await app.ListAsync(notes, DocumentScope.Public)).Documents);
    }

    [Fact]
    public async Task Who_denies_the_app_keeps_it_out_in_every_way()
    {
        var (alice, notes) = (host.User(), host.Collection());
        await IndexAsync(notes);
        var app = host.AppItself($"documents:{notes}:write");
        string[][] opened = [[], ["users"], [app.Did]];
        foreach (var read in opened)
        {
            var note = await alice.CreateAsync(notes, """{"n":7,"text":"s3cret"}""", Someone.Acl(read, deny: [app.Did]));
            await Fails("DOCUMENT_NOT_FOUND", app.GetAsync(note.Id));
            await Fails("DOCUMENT_NOT_FOUND", app.UpdateAsync(note.Id, """{"n":8}"""));
        }

        Assert.Empty((await app.ListAsync(notes)).Documents);
        Assert.Empty((await app.ListAsync(notes, filter: "data.n = 7")).Documents);
        Assert.Empty((await app.SearchAsync(notes, "s3cret")).Documents);
        Assert.Equal(0, await CountAsync(app, notes));
        await using var session = await RawSession.OpenAsync(host, app);
        Assert.Empty(await session.QueryAsync($"select id from vibe.documents where collection = '{notes}'"));
        Assert.Empty(await session.QueryAsync($"select doc_id from vibe.doc_fields where collection = '{notes}'"));
        Assert.Equal(0, await session.ExecuteAsync($"update vibe.documents set data = '{"{}"}' where collection = '{notes}'"));
    }

    [Fact]
    public async Task The_scopes_of_a_token_cut_privileges_down()
    {
        var (alice, notes) = (host.User(), host.Collection());
        await IndexAsync(notes);
        var note = await alice.CreateAsync(notes, """{"n":7}""");
        var narrow = host.AppItself($"documents:{notes}:write", "documents:elsewhere:write");
        await Fails("DOCUMENT_NOT_FOUND", narrow.GetAsync(note.Id));
        Assert.Empty((await narrow.ListAsync(notes)).Documents);
        var reader = host.AppItself($"documents:{notes}:write", $"documents:{notes}:read");
        Assert.Single((await reader.ListAsync(notes)).Documents);
        await Fails("SCOPE_REQUIRED", reader.UpdateAsync(note.Id, """{"n":8}"""));
        await using var session = await RawSession.OpenAsync(host, narrow);
        Assert.Empty(await session.QueryAsync($"select id from vibe.documents where collection = '{notes}'"));
        Assert.Empty(await session.QueryAsync($"select doc_id from vibe.doc_fields where collection = '{notes}'"));
    }

    [Fact]
    public async Task A_privilege_to_read_writes_nothing()
    {
        var (alice, notes) = (host.User(), host.Collection());
        var note = await alice.CreateAsync(notes, """{"n":7}""");
        var app = host.AppItself($"documents:{notes}:read");
        await Fails("DOCUMENT_READ_ONLY", app.UpdateAsync(note.Id, """{"n":8}"""));
        await Fails("DOCUMENT_READ_ONLY", app.DeleteAsync(note.Id));
        await using var session = await RawSession.OpenAsync(host, app);
        Assert.Equal(0, await session.ExecuteAsync($"update vibe.documents set data = '{"{}"}' where id = '{note.Id}'"));
    }

    [Fact]
    public async Task A_privilege_to_write_changes_bodies_but_neither_rules_nor_owners_nor_what_is_gone()
    {
        var (alice, notes, diary) = (host.User(), host.Collection(), host.Collection());
        var app = host.AppItself($"documents:{notes}:write");
        var note = await alice.CreateAsync(notes, """{"n":7}""");
        var kept = await alice.CreateAsync(notes, """{"n":7}""", Someone.Acl(writeDeny: [app.Did]));
        var gone = await alice.CreateAsync(notes);
        await alice.DeleteAsync(gone.Id);
        var entry = await alice.CreateAsync(diary);

        var changed = await app.UpdateAsync(note.Id, """{"n":8}""");
        Assert.Equal((alice.Did, app.Did), (changed.Owner, changed.App));
        Assert.Equal("""{"n":8}""", Someone.Json(await alice.GetAsync(note.Id)));
        await Fails("OWNER_REQUIRED", app.UpdateAsync(note.Id, acl: Someone.Acl(["*"])));
        await Fails("DOCUMENT_READ_ONLY", app.UpdateAsync(kept.Id, """{"n":8}"""));
        await Fails("DOCUMENT_NOT_FOUND", app.UpdateAsync(entry.Id, """{"n":8}"""));

        await using var session = await RawSession.OpenAsync(host, app);
        Assert.Equal("VB001", await session.FailureOf($"update vibe.documents set acl = '{"{}"}'::jsonb || '{"{\"read\":{\"allow\":[\"*\"]}}"}' where id = '{note.Id}'"));
        Assert.Equal(Denied, await session.FailureOf($"update vibe.documents set owner_did = '{app.Did}' where id = '{note.Id}'"));
        Assert.Equal(Denied, await session.FailureOf($"insert into vibe.documents (id, collection, owner_did) values (gen_random_uuid(), '{notes}', '{alice.Did}')"));
        Assert.Equal(0, await session.ExecuteAsync($"update vibe.documents set delete_time = null where id = '{gone.Id}'"));
        Assert.Equal(0, await session.ExecuteAsync($"update vibe.documents set data = '{"{}"}' where id in ('{kept.Id}', '{entry.Id}')"));
        await app.DeleteAsync(note.Id);
    }

    [Fact]
    public async Task Nobody_signed_in_gets_no_privilege_from_a_setting_alone_to_write()
    {
        var (alice, notes) = (host.User(), host.Collection());
        var note = await alice.CreateAsync(notes);
        await using var session = await RawSession.OpenAsync(host, null);
        await session.QueryAsync($"select set_config('vibe.write_privileges', '{{{notes}}}', false), set_config('vibe.write_scopes', '{{*}}', false)");
        Assert.Equal(0, await session.ExecuteAsync($"update vibe.documents set data = '{"{}"}' where id = '{note.Id}'"));
    }

    private static async Task Fails(string reason, Task call) => Assert.Equal(reason, (await CallFailure.Of(call)).Reason);

    private async Task<double> CountAsync(Someone someone, string collection) => (await host.Service.AggregateDocuments(
        new()
        {
            Collection = collection, Scope = DocumentScope.All, Filter = new Filter { Text = "data.n >= 0" },
            Aggregations = { new Aggregation { Alias = "count", Function = Function.Count } },
        },
        someone.Call())).Values["count"].NumberValue;

    private async Task IndexAsync(string collection)
    {
        foreach (var (path, kind) in new[] { ("data.n", FieldIndex.Types.Kind.Value), ("data.text", FieldIndex.Types.Kind.Text) })
        {
            await host.Service.ApproveFieldIndex(new() { FieldIndex = new() { Collection = collection, Path = path, Kind = kind } }, host.User().Call());
        }

        await host.BuildAsync();
    }
}
