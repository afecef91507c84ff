using Grpc.Core;
using Vibe.Documents.V1;
using Vibe.Postgres.Tests;

namespace Vibe.Server.Tests.Documents;

/// <summary>Who may see and change what.</summary>
[Collection(PostgresCollection.Name)]
public sealed class AccessTests(DocumentsHost host) : IClassFixture<DocumentsHost>
{
    private const string Certificate = "cert:did:web:gov.test#Resident";

    [Fact]
    public async Task Each_principal_opens_a_document_to_exactly_those_it_means()
    {
        var (alice, bob, resident, app, visitor) = (host.User(), host.User(), host.User("documents:*:write", Certificate), host.AppItself(), host.Visitor());
        Someone[] everyone = [alice, bob, resident, app, visitor];
        await Check([], [alice]);
        await Check([bob.Did], [alice, bob]);
        await Check(["users"], [alice, bob, resident]);
        await Check(["*"], everyone);
        await Check([Certificate], [alice, resident]);
        await Check([app.Did], [alice, app]);

        async Task Check(string[] allow, Someone[] expected)
        {
            var collection = host.Collection();
            var document = await alice.CreateAsync(collection, """{"a":1}""", Someone.Acl(allow));
            foreach (var someone in everyone)
            {
                var listed = (await someone.ListAsync(collection)).Documents.Select(static found => found.Id);
                if (expected.Contains(someone))
                {
                    Assert.Equal(document.Id, (await someone.GetAsync(document.Id)).Id);
                    Assert.Equal([document.Id], listed);
                }
                else
                {
                    Assert.Equal("DOCUMENT_NOT_FOUND", (await CallFailure.Of(someone.GetAsync(document.Id))).Reason);
                    Assert.Empty(listed);
                }
            }
        }
    }

    [Fact]
    public async Task Deny_beats_allow_and_the_owner_always_may()
    {
        var (alice, bob, carol, collection) = (host.User(), host.User("documents:*:write", Certificate), host.User(), host.Collection());
        var open = await alice.CreateAsync(collection, "{}", Someone.Acl(["*", bob.Did], write: ["users"], deny: [bob.Did, alice.Did]));
        Assert.Equal("DOCUMENT_NOT_FOUND", (await CallFailure.Of(bob.GetAsync(open.Id))).Reason);
        Assert.Equal("DOCUMENT_NOT_FOUND", (await CallFailure.Of(bob.UpdateAsync(open.Id, "{}"))).Reason);
        await carol.UpdateAsync(open.Id, """{"by":"carol"}""");
        await alice.UpdateAsync(open.Id, """{"by":"alice"}""");
        var byCertificate = await alice.CreateAsync(collection, "{}", Someone.Acl([bob.Did], deny: [Certificate]));
        Assert.Equal("DOCUMENT_NOT_FOUND", (await CallFailure.Of(bob.GetAsync(byCertificate.Id))).Reason);
        var noWriting = await alice.CreateAsync(collection, "{}", Someone.Acl(write: ["users"], writeDeny: [bob.Did]));
        Assert.Equal("DOCUMENT_READ_ONLY", (await CallFailure.Of(bob.UpdateAsync(noWriting.Id, "{}"))).Reason);
        Assert.Equal("DOCUMENT_READ_ONLY", (await CallFailure.Of(bob.DeleteAsync(noWriting.Id))).Reason);
    }

    [Fact]
    public async Task What_may_not_be_seen_answers_byte_for_byte_like_what_does_not_exist()
    {
        var (alice, bob) = (host.User(), host.User());
        var document = await alice.CreateAsync(host.Collection(), "{}");
        var hidden = new List<byte[]>
        {
            await CallFailure.BytesOf(bob.GetAsync(document.Id)), await CallFailure.BytesOf(bob.UpdateAsync(document.Id, "{}")),
            await CallFailure.BytesOf(bob.DeleteAsync(document.Id)), await CallFailure.BytesOf(bob.EdgesAsync(document.Id, Direction.Out)),
            await CallFailure.BytesOf(bob.UpdateAsync(document.Id, "{}", etag: document.Etag)),
        };
        await alice.DeleteAsync(document.Id);
        await host.Database.Owner.ExecuteAsync($"delete from vibe.documents d where d.id = {Guid.Parse(document.Id)}", CancellationToken.None);
        Assert.Equal(hidden[0], await CallFailure.BytesOf(bob.GetAsync(document.Id)));
        Assert.Equal(hidden[1], await CallFailure.BytesOf(bob.UpdateAsync(document.Id, "{}")));
        Assert.Equal(hidden[2], await CallFailure.BytesOf(bob.DeleteAsync(document.Id)));
        Assert.Equal(hidden[3], await CallFailure.BytesOf(bob.EdgesAsync(document.Id, Direction.Out)));
        Assert.Equal(hidden[4], await CallFailure.BytesOf(bob.UpdateAsync(document.Id, "{}", etag: document.Etag)));
    }

    [Fact]
    public async Task Who_may_write_may_read_change_and_delete_but_not_share()
    {
        var (alice, bob, collection) = (host.User(), host.User(), host.Collection());
        var document = await alice.CreateAsync(collection, """{"a":1}""", Someone.Acl(write: [bob.Did]));
        Assert.Null((await bob.GetAsync(document.Id)).Acl);
        var updated = await bob.UpdateAsync(document.Id, """{"b":2}""", edges: new Edge { Label = "x", Target = document.Id });
        Assert.Equal(alice.Did, updated.Owner);
        Assert.Equal("OWNER_REQUIRED", (await CallFailure.Of(bob.UpdateAsync(document.Id, acl: Someone.Acl(["*"])))).Reason);
        Assert.Equal("OWNER_REQUIRED", (await CallFailure.Of(bob.UpsertAsync(collection, "{}", id: document.Id, acl: Someone.Acl(["*"])))).Reason);
        WriteTests.AssertJson("""{"c":3}""", await bob.UpsertAsync(collection, """{"c":3}""", id: document.Id));
        await bob.DeleteAsync(document.Id);
        Assert.Equal("DOCUMENT_ALREADY_EXISTS", (await CallFailure.Of(bob.UpsertAsync(collection, "{}", id: document.Id))).Reason);
        Assert.Equal("DOCUMENT_ALREADY_EXISTS", (await CallFailure.Of(bob.CreateAsync(collection, id: document.Id))).Reason);
    }

    [Fact]
    public async Task What_may_only_be_read_says_so()
    {
        var (alice, bob, collection) = (host.User(), host.User(), host.Collection());
        var document = await alice.CreateAsync(collection, "{}", Someone.Acl(["*"]));
        var failure = await CallFailure.Of(bob.UpdateAsync(document.Id, "{}"));
        Assert.Equal((StatusCode.PermissionDenied, "DOCUMENT_READ_ONLY", document.Id), (failure.Code, failure.Reason, failure.Metadata["id"]));
        Assert.Equal("DOCUMENT_READ_ONLY", (await CallFailure.Of(bob.DeleteAsync(document.Id))).Reason);
        Assert.Equal("DOCUMENT_READ_ONLY", (await CallFailure.Of(bob.UpsertAsync(collection, "{}", id: document.Id))).Reason);
    }

    [Fact]
    public async Task Scopes_cut_down_what_the_user_may()
    {
        var (alice, notes, tasks) = (host.User(), host.Collection(), host.Collection());
        var note = await alice.CreateAsync(notes, "{}");
        var task = await alice.CreateAsync(tasks, "{}");
        var open = await alice.CreateAsync(tasks, "{}", Someone.Acl(["*"]));
        var app = alice.With($"documents:{notes}:write documents:{tasks}:read");
        await app.UpdateAsync(note.Id, """{"a":1}""");
        await app.GetAsync(task.Id);
        var failure = await CallFailure.Of(app.UpdateAsync(task.Id, "{}"));
        Assert.Equal((StatusCode.PermissionDenied, "SCOPE_REQUIRED", $"documents:{tasks}:write"), (failure.Code, failure.Reason, failure.Metadata["scope"]));
        Assert.Equal("SCOPE_REQUIRED", (await CallFailure.Of(app.DeleteAsync(task.Id))).Reason);
        Assert.Equal("SCOPE_REQUIRED", (await CallFailure.Of(app.CreateAsync(tasks))).Reason);
        Assert.Equal("SCOPE_REQUIRED", (await CallFailure.Of(app.UpsertAsync(tasks, "{}", key: "k"))).Reason);
        var blind = alice.With("");
        Assert.Equal("DOCUMENT_NOT_FOUND", (await CallFailure.Of(blind.GetAsync(task.Id))).Reason);
        Assert.Equal(open.Id, (await blind.GetAsync(open.Id)).Id);
        Assert.Equal([open.Id], (await blind.ListAsync(tasks)).Documents.Select(static document => document.Id));
    }

    [Fact]
    public async Task Taking_a_share_away_takes_the_document_away()
    {
        var (alice, bob, collection) = (host.User(), host.User(), host.Collection());
        var document = await alice.CreateAsync(collection, "{}", Someone.Acl([bob.Did]));
        Assert.Single((await bob.ListAsync(collection, DocumentScope.Shared)).Documents);
        await alice.UpdateAsync(document.Id, acl: Someone.Acl([host.User().Did]));
        Assert.Empty((await bob.ListAsync(collection, DocumentScope.Shared)).Documents);
        Assert.Equal("DOCUMENT_NOT_FOUND", (await CallFailure.Of(bob.GetAsync(document.Id))).Reason);
    }

    [Fact]
    public async Task A_visitor_writes_nothing()
    {
        var (alice, visitor, collection) = (host.User(), host.Visitor(), host.Collection());
        var document = await alice.CreateAsync(collection, "{}", Someone.Acl(["*"], write: ["users"]));
        Assert.Equal("TOKEN_REQUIRED", (await CallFailure.Of(visitor.CreateAsync(collection))).Reason);
        Assert.Equal("DOCUMENT_READ_ONLY", (await CallFailure.Of(visitor.UpdateAsync(document.Id, "{}"))).Reason);
        Assert.Equal("DOCUMENT_READ_ONLY", (await CallFailure.Of(visitor.DeleteAsync(document.Id))).Reason);
    }
}
