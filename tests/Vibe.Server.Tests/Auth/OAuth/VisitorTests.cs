using System.Net;
using Vibe.Postgres.Tests;
using Vibe.Server.Auth.OAuth;
using Vibe.Server.Tests.Api;

namespace Vibe.Server.Tests.Auth.OAuth;

/// <summary>Signed-out visitors of an app, and which pages may read answers at all.</summary>
[Collection(PostgresCollection.Name)]
public sealed class VisitorTests(OAuthHost host) : IClassFixture<OAuthHost>
{
    private readonly ApiServer _server = host.Server;

    [Fact]
    public async Task A_visitor_reads_what_is_public_and_is_nobody()
    {
        var (app, author) = (await TestApp.CreateAsync(_server), _server.User());
        var open = await author.CreateAsync("""{"collection":"news","data":{},"acl":{"read":{"allow":["*"]}}}""");
        var forUsers = await author.CreateAsync("""{"collection":"news","data":{},"acl":{"read":{"allow":["users"]}}}""");

        var answer = (await VisitAsync(app, TestApp.Origin)).Ok();
        Assert.Equal((300, "documents:news:read"), ((int)answer["expires_in"]!, (string?)answer["scope"]));
        Assert.Null(answer["refresh_token"]);
        Assert.Null(answer["id_token"]);
        var token = (string)answer["access_token"]!;
        Assert.Equal(($"{app.Did}#visitor", app.Did), ((string?)Person.Claims(token)["sub"], (string?)Person.Claims(token)["client_id"]));

        var visitor = new ApiUser(_server, "", token);
        (await visitor.GetAsync($"/v1/documents/{open["id"]}")).Ok();
        Assert.Equal(HttpStatusCode.NotFound, (await visitor.GetAsync($"/v1/documents/{forUsers["id"]}")).Status);
        (await visitor.PostAsync("/v1/documents", """{"collection":"news","data":{}}""")).Fails(HttpStatusCode.Unauthorized, "UNAUTHENTICATED", "TOKEN_REQUIRED");
        Assert.Equal("invalid_token", (string?)(await app.UserInfoAsync(token)).Json["error"]);
    }

    [Theory]
    [InlineData("https://evil.example", "documents:news:read", "unauthorized_client")]
    [InlineData(null, "documents:news:read", "unauthorized_client")]
    [InlineData("null", "documents:news:read", "unauthorized_client")]
    [InlineData(TestApp.Origin, "documents:news:write", "invalid_scope")]
    [InlineData(TestApp.Origin, "documents:notes:read", "invalid_scope")]
    [InlineData(TestApp.Origin, "openid", "invalid_scope")]
    public async Task A_visitor_of_another_page_or_with_other_wishes_gets_nothing(string? origin, string scope, string error)
    {
        var app = await TestApp.CreateAsync(_server);
        Assert.Equal(error, (string?)(await VisitAsync(app, origin, ("scope", scope))).Json["error"]);
    }

    [Fact]
    public async Task A_visitor_needs_no_key_where_people_do()
    {
        var app = await TestApp.CreateAsync(_server, change: static manifest => manifest.DpopBoundAccessTokens = true);
        Assert.Equal("Bearer", (string?)(await VisitAsync(app, TestApp.Origin)).Ok()["token_type"]);
    }

    [Fact]
    public async Task Only_pages_of_a_registered_origin_may_read_an_answer()
    {
        var app = await TestApp.CreateAsync(_server);
        Assert.Contains($"access-control-allow-origin: {TestApp.Origin}", (await VisitAsync(app, TestApp.Origin)).Headers);
        foreach (var (path, origin) in new[] { ("/oauth/token", "https://evil.example"), ("/oauth/introspect", TestApp.Origin) })
        {
            var answer = await app.PostAsync(path, [], request => request.Headers.Add("Origin", origin));
            Assert.DoesNotContain(answer.Headers, static header => header.StartsWith("access-control-allow-origin", StringComparison.Ordinal));
        }

        // Before they may send a proof.
        using var preflight = new HttpRequestMessage(HttpMethod.Options, "/oauth/token");
        preflight.Headers.Add("Origin", TestApp.Origin);
        preflight.Headers.Add("Access-Control-Request-Method", "POST");
        preflight.Headers.Add("Access-Control-Request-Headers", "dpop,content-type");
        using var response = await _server.Http.SendAsync(preflight);
        Assert.Equal(TestApp.Origin, Assert.Single(response.Headers.GetValues("Access-Control-Allow-Origin")));
        Assert.Contains("dpop", Assert.Single(response.Headers.GetValues("Access-Control-Allow-Headers")), StringComparison.Ordinal);
        Assert.False(response.Headers.Contains("Access-Control-Allow-Credentials"));
    }

    private static Task<ApiAnswer> VisitAsync(TestApp app, string? origin, params (string Name, string Value)[] fields) => app.PostAsync(
        "/oauth/token", [("grant_type", TokenGrants.VisitorType), .. fields],
        request =>
        {
            if (origin is not null)
            {
                request.Headers.Add("Origin", origin);
            }
        });
}
