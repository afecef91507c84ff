using Vibe.Rpc.Rest;

namespace Vibe.Rpc.Tests.Rest;

public sealed class RouteTreeTests
{
    private static readonly RouteTree<string> Tree = Build(
        "GET /v1/documents", "POST /v1/documents", "GET /v1/documents/{id}", "PATCH /v1/documents/{id}", "DELETE /v1/documents/{id}",
        "GET /v1/documents/{collection}/{key}", "GET /v1/documents:search", "POST /v1/documents:query", "GET /v1/documents/{id}:edges",
        "POST /v1/documents/special", "GET /v1/{name=shelves/*/books/*}", "GET /v1/{name=shelves/*/books/*}:read",
        "GET /v1/files/{name=**}", "POST /v1/files/{name=**}:copy", "GET /v1/files/list", "PUT /v1/*/deep/{id}");

    [Theory]
    [InlineData("GET", "/v1/documents", "GET /v1/documents", "")]
    [InlineData("POST", "/v1/documents", "POST /v1/documents", "")]
    [InlineData("GET", "/v1/documents/42", "GET /v1/documents/{id}", "42")]
    [InlineData("GET", "/v1/documents/a%2Fb", "GET /v1/documents/{id}", "a/b")]
    [InlineData("GET", "/v1/documents/a%252Fb", "GET /v1/documents/{id}", "a%2Fb")]
    [InlineData("GET", "/v1/documents/a+b", "GET /v1/documents/{id}", "a+b")]
    [InlineData("GET", "/v1/documents/%E2%82%AC", "GET /v1/documents/{id}", "€")]
    [InlineData("GET", "/v1/documents/did%3Aweb%3Ax", "GET /v1/documents/{id}", "did:web:x")]
    [InlineData("GET", "/v1/documents/notes/today", "GET /v1/documents/{collection}/{key}", "notes|today")]
    [InlineData("GET", "/v1/documents/a:b:c/today", "GET /v1/documents/{collection}/{key}", "a:b:c|today")]
    [InlineData("GET", "/v1/documents:search", "GET /v1/documents:search", "")]
    [InlineData("POST", "/v1/documents:query", "POST /v1/documents:query", "")]
    [InlineData("GET", "/v1/documents/42:edges", "GET /v1/documents/{id}:edges", "42")]
    [InlineData("GET", "/v1/documents/a:b:edges", "GET /v1/documents/{id}:edges", "a:b")]
    [InlineData("GET", "/v1/documents/42%3Aedges", "GET /v1/documents/{id}", "42:edges")]
    [InlineData("POST", "/v1/documents/special", "POST /v1/documents/special", "")]
    [InlineData("GET", "/v1/documents/special", "GET /v1/documents/{id}", "special")]
    [InlineData("GET", "/%76%31/documents", "GET /v1/documents", "")]
    [InlineData("GET", "/v1/shelves/1/books/2", "GET /v1/{name=shelves/*/books/*}", "shelves/1/books/2")]
    [InlineData("GET", "/v1/shelves/1/books/2:read", "GET /v1/{name=shelves/*/books/*}:read", "shelves/1/books/2")]
    [InlineData("GET", "/v1/shelves/a%20b/books/c%2fd%2Fe", "GET /v1/{name=shelves/*/books/*}", "shelves/a b/books/c%2fd%2Fe")]
    [InlineData("GET", "/v1/files/a", "GET /v1/files/{name=**}", "a")]
    [InlineData("GET", "/v1/files/a/b/c", "GET /v1/files/{name=**}", "a/b/c")]
    [InlineData("GET", "/v1/files", "GET /v1/files/{name=**}", "")]
    [InlineData("GET", "/v1/files/list", "GET /v1/files/list", "")]
    [InlineData("GET", "/v1/files/list/more", "GET /v1/files/{name=**}", "list/more")]
    [InlineData("POST", "/v1/files/a/b:copy", "POST /v1/files/{name=**}:copy", "a/b")]
    [InlineData("POST", "/v1/files:copy", "POST /v1/files/{name=**}:copy", "")]
    [InlineData("PUT", "/v1/documents/deep/7", "PUT /v1/*/deep/{id}", "7")]
    public void A_path_finds_its_binding(string method, string path, string binding, string variables)
    {
        var match = Tree.Find(method, path);

        Assert.Equal(RouteOutcome.Matched, match.Outcome);
        Assert.Equal(binding, match.Value);
        Assert.Equal(variables, string.Join('|', match.Variables));
    }

    [Theory]
    [InlineData("")]
    [InlineData("/")]
    [InlineData("*")]
    [InlineData("/v2/documents")]
    [InlineData("/V1/documents")]
    [InlineData("/v1/Documents")]
    [InlineData("/v1/documents/")]
    [InlineData("/v1/documents/42/")]
    [InlineData("/v1//documents")]
    [InlineData("//v1/documents")]
    [InlineData("/v1/files/")]
    [InlineData("/v1/files//a")]
    [InlineData("/v1/files/a/../b")]
    [InlineData("/v1/files/./a")]
    [InlineData("/v1/files/%2e%2e/a")]
    [InlineData("/v1/files/.%2E")]
    [InlineData("/v1/documents/a/b/c")]
    [InlineData("/v1/documents:")]
    [InlineData("/v1/documents/:edges")]
    [InlineData("/v1/documents%2F42")]
    public void A_path_that_no_template_fits_is_not_found(string path) =>
        Assert.Equal(RouteOutcome.NotFound, Tree.Find("GET", path).Outcome);

    [Theory]
    [InlineData("GET", "/v1/documents:zzz")]
    [InlineData("GET", "/v1/documents:Search")]
    [InlineData("GET", "/v1/documents/42:zzz")]
    [InlineData("GET", "/v1/documents/did:web:x")]
    [InlineData("GET", "/v1/files/a:zzz")]
    public void An_unknown_verb_is_told_from_an_unknown_path(string method, string path) =>
        Assert.Equal(RouteOutcome.UnknownVerb, Tree.Find(method, path).Outcome);

    [Theory]
    [InlineData("PUT", "/v1/documents", "GET,POST")]
    [InlineData("PUT", "/v1/documents/special", "DELETE,GET,PATCH,POST")]
    [InlineData("POST", "/v1/documents:search", "GET")]
    [InlineData("get", "/v1/documents", "GET,POST")]
    [InlineData("GET", "/v1/files/a:copy", "POST")]
    public void A_known_path_with_another_method_names_the_allowed_ones(string method, string path, string allowed)
    {
        var match = Tree.Find(method, path);

        Assert.Equal(RouteOutcome.MethodNotAllowed, match.Outcome);
        Assert.Equal(allowed, string.Join(',', match.Allowed));
    }

    [Theory]
    [InlineData("/v1/documents/%")]
    [InlineData("/v1/documents/%4")]
    [InlineData("/v1/documents/%zz")]
    [InlineData("/v1/documents/%ff")]
    [InlineData("/v1/documents/%C0%AF")]
    [InlineData("/v1/documents/%ED%A0%80")]
    public void A_value_that_is_not_percent_encoded_UTF8_has_no_text(string path)
    {
        var match = Tree.Find("GET", path);

        Assert.Equal(RouteOutcome.Matched, match.Outcome);
        Assert.Null(Assert.Single(match.Variables));
    }

    [Fact]
    public void The_same_path_and_method_cannot_be_taken_twice()
    {
        var tree = Build("GET /v1/{id}");

        Assert.False(tree.TryAdd(PathTemplate.Parse("/v1/{name}"), "GET", "second", out var taken));
        Assert.Equal("GET /v1/{id}", taken);
        Assert.True(tree.TryAdd(PathTemplate.Parse("/v1/{name}:verb"), "GET", "third", out _));
        Assert.True(tree.TryAdd(PathTemplate.Parse("/v1/{name}"), "PUT", "fourth", out _));
    }

    [Fact]
    public void A_path_of_thousands_of_segments_is_searched_without_overflowing_the_stack()
    {
        var path = "/v1/files" + string.Concat(Enumerable.Repeat("/a", 4000));

        Assert.Equal(path["/v1/files/".Length..], Assert.Single(Tree.Find("GET", path).Variables));
    }

    private static RouteTree<string> Build(params string[] bindings)
    {
        var tree = new RouteTree<string>();
        foreach (var binding in bindings)
        {
            var parts = binding.Split(' ', 2);
            Assert.True(tree.TryAdd(PathTemplate.Parse(parts[1]), parts[0], binding, out _));
        }

        return tree;
    }
}
