using Vibe.Documents.V1;
using Vibe.Postgres.Tests;
using Kind = Vibe.Documents.V1.FieldIndex.Types.Kind;
using State = Vibe.Documents.V1.FieldIndex.Types.State;

namespace Vibe.Server.Tests.Documents;

/// <summary>Field indexes through their life, and search.</summary>
[Collection(PostgresCollection.Name)]
public sealed class FieldIndexTests(DocumentsHost host) : IClassFixture<DocumentsHost>
{
    [Fact]
    public async Task A_suggestion_counts_and_waits_for_approval()
    {
        var (alice, collection) = (host.User(), host.Collection());
        await SuggestAsync(alice, collection, "data.n");
        var suggested = await SuggestAsync(host.User(), collection, "data.`n`");
        Assert.Equal((State.Suggested, 2L, "data.n", alice.Did), (suggested.State, suggested.SuggestionCount, suggested.Path, suggested.SuggestedBy));
        Assert.Equal("fieldIndex.path", (await CallFailure.Of(SuggestAsync(alice, collection, "owner"))).Field);
        Assert.Equal("fieldIndex.path", (await CallFailure.Of(SuggestAsync(alice, collection, "data"))).Field);
        foreach (var bad in new[] { "data.n,", "data.n data.m", "data.n, data.n", "data.n, owner", "data.a, data.b, data.c, data.d, data.e", "data." + new string('x', 124) })
        {
            Assert.Equal("fieldIndex.path", (await CallFailure.Of(SuggestAsync(alice, collection, bad))).Field);
        }

        Assert.Equal("fieldIndex.path", (await CallFailure.Of(host.Service.SuggestFieldIndex(
            new() { FieldIndex = new() { Collection = collection, Path = "data.a, data.b", Kind = Kind.Text } }, alice.Call()))).Field);
        await host.Service.DropFieldIndex(new() { Collection = collection, Path = "data.n" }, alice.Call());
        Assert.Empty(await ListAsync(collection));
        Assert.Equal("FIELD_INDEX_NOT_FOUND", (await CallFailure.Of(
            host.Service.DropFieldIndex(new() { Collection = collection, Path = "data.n" }, alice.Call()))).Reason);
    }

    // The fields before the last are a set: however they are written, it is the same index.
    [Fact]
    public async Task A_composite_index_has_one_name()
    {
        var (alice, collection) = (host.User(), host.Collection());
        Assert.Equal("data.`a-b`, data.b, data.a", (await SuggestAsync(alice, collection, "data.b,data.`a-b` ,data.a")).Path);
        Assert.Equal(2, (await SuggestAsync(alice, collection, "data.`a-b`, data.`b`, data.a")).SuggestionCount);
        Assert.Equal("data.a, data.b", (await SuggestAsync(alice, collection, "data.a,data.b")).Path);
        Assert.Equal("data.b, data.a", (await SuggestAsync(alice, collection, "data.b,data.a")).Path);
        await host.Service.DropFieldIndex(new() { Collection = collection, Path = "data.b, data.`a-b`, data.a" }, alice.Call());
        Assert.Equal(["data.a, data.b", "data.b, data.a"], (await ListAsync(collection)).Select(static index => index.Path));
    }

    [Theory]
    [InlineData("data.n")]
    [InlineData("data.s, data.n")]
    [InlineData("data.m, data.n, data.s")]
    public async Task A_build_with_writes_going_on_loses_none_and_queries_answer_the_same_before_and_after(string path)
    {
        var (alice, bob, collection) = (host.User(), host.User(), host.Collection());
        List<Document> documents = [];
        for (var i = 0; i < 40; i++)
        {
            documents.Add(await alice.CreateAsync(collection, $$"""{"n":{{i % 7}},"m":true,"s":"x{{i % 3}}"}""", AclOf(i)));
        }

        await alice.CreateAsync(collection, """{"n":"text"}""");
        await alice.CreateAsync(collection, "{}");
        await ApproveAsync(collection, path);
        var writes = Task.WhenAll(Enumerable.Range(0, 20).Select(async i =>
        {
            await alice.UpdateAsync(documents[i].Id, """{"n":100}""");
            await alice.UpdateAsync(documents[i].Id, acl: AclOf(i + 2));
            await alice.CreateAsync(collection, $$"""{"n":{{200 + i}}}""", AclOf(i));
            await alice.DeleteAsync(documents[39 - i].Id);
        }));
        await host.BuildAsync();
        await writes;
        await host.BuildAsync();
        var index = Assert.Single(await ListAsync(collection));
        Assert.Equal((State.Ready, index.DocumentsDone), (index.State, index.DocumentsTotal));

        var indexed = await RunAsync();
        await host.Catalog.FlushAsync(CancellationToken.None);
        Assert.NotEqual(0, Assert.Single(await ListAsync(collection)).UseCount);
        await host.Service.DropFieldIndex(new() { Collection = collection, Path = path }, alice.Call());
        await host.BuildAsync();
        Assert.Equal(await RunAsync(), indexed);
        Assert.Empty(await ListAsync(collection));
        Assert.Equal(0, await CountAsync(collection));

        // For users, shared with Bob by name, for nobody.
        AccessControl? AclOf(int i) => i % 2 == 0 ? Someone.Acl(["users"]) : i % 4 == 1 ? Someone.Acl([bob.Did]) : new AccessControl();

        async Task<List<string>> RunAsync()
        {
            List<string> found = [];
            foreach (var someone in new[] { alice, bob })
            {
                foreach (var (filter, order) in new[] { ("data.n >= 100", "data.n"), ("data.n = 100", "data.n desc"), ("", "data.n, data.s desc"), ("data.n = \"text\"", ""), ("data.s = 'x1'", "data.n desc"), ("data.n = 3 and data.m = true", "data.s") })
                {
                    var list = await someone.ListAsync(collection, filter: filter, orderBy: order);
                    found.AddRange(list.Documents.Select(document => $"{filter} {order} {document.Id}"));
                }
            }

            return found;
        }
    }

    // PostgreSQL refuses entries of more than a third of a page, and the write with them.
    [Fact]
    public async Task The_longest_entry_fits()
    {
        var (alice, collection) = (host.User(), host.Collection().PadRight(128, 'c'));
        var (group, last) = (new string('g', 57), new string('l', 59));
        await ApproveAsync(collection, $"data.{group}, data.{last}");
        await host.BuildAsync();
        var random = new Random(3);
        var text = string.Concat(Enumerable.Range(0, 500).Select(_ => char.ConvertFromUtf32(random.Next(0x10000, 0x110000))));
        var exact = new string('x', 60);
        var document = await alice.CreateAsync(collection, $$"""{"{{group}}":"{{exact}}","{{last}}":"{{text}}"}""", Someone.Acl(["*"]));
        var found = await alice.ListAsync(collection, filter: $"data.{group} = '{exact}'", orderBy: $"data.{last}");
        Assert.Equal(document.Id, Assert.Single(found.Documents).Id);
    }

    [Fact]
    public async Task Uses_are_counted()
    {
        var (alice, collection) = (host.User(), host.Collection());
        await alice.CreateAsync(collection, """{"n":1}""");
        await ApproveAsync(collection, "data.n");
        await host.BuildAsync();
        await alice.ListAsync(collection, filter: "data.n = 1");
        await alice.ListAsync(collection, filter: "data.n = 2");
        await host.Catalog.FlushAsync(CancellationToken.None);
        var index = Assert.Single(await ListAsync(collection));
        Assert.Equal(2, index.UseCount);
        Assert.NotNull(index.LastUseTime);
    }

    [Fact]
    public async Task A_build_goes_on_where_another_stopped()
    {
        var (alice, collection) = (host.User(), host.Collection());
        for (var i = 0; i < 20; i++)
        {
            await alice.CreateAsync(collection, """{"n":1}""");
        }

        await ApproveAsync(collection, "data.n");
        await host.Builder.StepAsync(CancellationToken.None);
        await host.Builder.StepAsync(CancellationToken.None);
        await new Vibe.Server.Documents.FieldIndexes.FieldIndexBuilder(host.Database, host.Options).StepAsync(CancellationToken.None);
        await host.BuildAsync();
        Assert.Equal((State.Ready, 20L), (await ListAsync(collection)).Select(static index => (index.State, index.DocumentsDone)).Single());
        Assert.Equal(20, await CountAsync(collection));
    }

    [Fact]
    public async Task Search_needs_an_index_and_finds_only_what_may_be_seen_best_first()
    {
        var (alice, bob, collection) = (host.User(), host.User(), host.Collection());
        Assert.Equal("TEXT_INDEX_REQUIRED", (await CallFailure.Of(alice.SearchAsync(collection, "boat"))).Reason);
        var one = await alice.CreateAsync(collection, """{"title":"A boat","tags":["Red boat"]}""", Someone.Acl(["users"]));
        await alice.CreateAsync(collection, """{"title":"boat boat boat"}""");
        await ApproveAsync(collection, "data", Kind.Text);
        await host.BuildAsync();
        var two = await bob.CreateAsync(collection, """{"title":"boat of Bob"}""");
        Assert.Equal([one.Id, two.Id], (await bob.SearchAsync(collection, "boat")).Documents.Select(static document => document.Id));
        Assert.Equal([one.Id], (await bob.SearchAsync(collection, "\"red boat\" -bob")).Documents.Select(static document => document.Id));
        Assert.Equal([two.Id], (await bob.SearchAsync(collection, "boat", filter: "data.title starts_with \"boat\"")).Documents.Select(static document => document.Id));
        Assert.Empty((await host.Visitor().SearchAsync(collection, "boat")).Documents);
        var page = await bob.SearchAsync(collection, "boat", pageSize: 1);
        Assert.Equal([two.Id], (await bob.SearchAsync(collection, "boat", pageSize: 1, pageToken: page.NextPageToken)).Documents.Select(static document => document.Id));
        await bob.UpdateAsync(two.Id, """{"title":"ship"}""");
        Assert.Equal([two.Id], (await bob.SearchAsync(collection, "ship")).Documents.Select(static document => document.Id));
        await bob.DeleteAsync(two.Id);
        Assert.Empty((await bob.SearchAsync(collection, "ship")).Documents);
    }

    [Fact]
    public async Task Dropping_one_of_two_text_indexes_leaves_the_words_of_the_other()
    {
        var (alice, collection) = (host.User(), host.Collection());
        var document = await alice.CreateAsync(collection, """{"a":"apple","b":"banana"}""");
        await ApproveAsync(collection, "data.a", Kind.Text);
        await ApproveAsync(collection, "data.b", Kind.Text);
        await host.BuildAsync();
        Assert.Single((await alice.SearchAsync(collection, "apple banana")).Documents);
        await host.Service.DropFieldIndex(new() { Collection = collection, Path = "data.a", Kind = Kind.Text }, alice.Call());
        await host.BuildAsync();
        Assert.Empty((await alice.SearchAsync(collection, "apple")).Documents);
        Assert.Equal(document.Id, (await alice.SearchAsync(collection, "banana")).Documents.Single().Id);
        await host.Service.DropFieldIndex(new() { Collection = collection, Path = "data.b", Kind = Kind.Text }, alice.Call());
        await host.BuildAsync();
        Assert.Equal("TEXT_INDEX_REQUIRED", (await CallFailure.Of(alice.SearchAsync(collection, "banana"))).Reason);
    }

    [Fact]
    public async Task A_body_with_more_words_than_an_index_holds_is_stored_and_found_by_its_first()
    {
        var (alice, collection) = (host.User(), host.Collection());
        await ApproveAsync(collection, "data", Kind.Text);
        await host.BuildAsync();
        var words = string.Join(' ', Enumerable.Range(0, 90_000).Select(static i => $"w{i:x}q{i:x}"));
        var document = await alice.CreateAsync(collection, $$"""{"t":"{{words}}"}""");
        Assert.Equal(document.Id, (await alice.SearchAsync(collection, "w1q1")).Documents.Single().Id);
    }

    private Task<long> CountAsync(string collection) => host.Database.Owner.QueryFirstAsync(
        $"""
        select (select count(*) from vibe.doc_fields f where f.collection = {collection})
          + (select count(*) from vibe.share_fields f where f.collection = {collection})
        """,
        static row => row.GetInt64(0), CancellationToken.None);

    private async Task<FieldIndex> SuggestAsync(Someone someone, string collection, string path) =>
        (await host.Service.SuggestFieldIndex(new() { FieldIndex = new() { Collection = collection, Path = path } }, someone.Call())).FieldIndex;

    private async Task ApproveAsync(string collection, string path, Kind kind = Kind.Value) => Assert.Equal(State.Building, (await host.Service.ApproveFieldIndex(
        new() { FieldIndex = new() { Collection = collection, Path = path, Kind = kind } }, host.User().Call())).FieldIndex.State);

    private async Task<IReadOnlyList<FieldIndex>> ListAsync(string collection) =>
        (await host.Service.ListFieldIndexes(new() { Collection = collection }, host.User().Call())).FieldIndexes;
}
