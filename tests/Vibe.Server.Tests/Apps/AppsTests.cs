using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;
using Vibe.Postgres.Tests;
using Vibe.Server.Auth.Tokens;
using Vibe.Server.Tests.Api;

namespace Vibe.Server.Tests.Apps;

/// <summary>The apps API over REST.</summary>
[Collection(PostgresCollection.Name)]
public sealed class AppsTests(ApiHost host, EmbeddedClusterFixture cluster) : IClassFixture<ApiHost>
{
    private readonly ApiServer _server = host.Server;

    [Fact]
    public async Task An_app_is_made_read_changed_and_deleted()
    {
        var owner = await _server.PersonAsync();
        var name = People.NewName();
        var made = (await CreateAsync(owner, name)).Ok();
        Assert.Equal(owner.Did, (string)made["owner"]!);
        Assert.StartsWith("did:web:vibe.localhost%3A0:apps:", (string)made["did"]!, StringComparison.Ordinal);
        Assert.Equal("APP_STATE_ACTIVE", (string)made["state"]!);

        var byDid = (await owner.GetAsync($"/v1/apps/{Uri.EscapeDataString((string)made["did"]!)}")).Ok();
        Assert.Equal(made.ToJsonString(), byDid.ToJsonString());

        var changed = (await owner.PatchAsync($"/v1/apps/{name}?update_mask=manifest.description&etag={made["etag"]}", """{"manifest":{"description":"New words"}}""")).Ok();
        Assert.Equal("New words", (string)changed["manifest"]!["description"]!);
        Assert.Equal(made["manifest"]!["displayName"]!.ToJsonString(), changed["manifest"]!["displayName"]!.ToJsonString());
        Assert.Equal("ETAG_MISMATCH", Reason(await owner.PatchAsync($"/v1/apps/{name}?etag={made["etag"]}", """{"manifest":{}}""")));

        (await owner.DeleteAsync($"/v1/apps/{name}")).Ok();
        Assert.Equal("APP_NOT_FOUND", Reason(await owner.GetAsync($"/v1/apps/{name}")));
        Assert.Equal("APP_ALREADY_EXISTS", Reason(await CreateAsync(owner, name)));
    }

    [Fact]
    public async Task Visitors_see_what_an_app_says_of_itself_and_no_more()
    {
        var owner = await _server.PersonAsync();
        var name = People.NewName();
        (await CreateAsync(owner, name)).Ok();
        foreach (var visitor in new[] { _server.Visitor(), await _server.PersonAsync(), owner.With(_server, "documents:*:write") })
        {
            var seen = (await visitor.GetAsync($"/v1/apps/{name}")).Ok().AsObject();
            Assert.Equal(name, (string)seen["name"]!);
            Assert.NotNull(seen["manifest"]);
            Assert.DoesNotContain(seen, static member => member.Key is "owner" or "etag" or "approvedPrivileges" or "updateTime");
        }

        var admin = await AdminAsync();
        (await admin.PostAsync($"/v1/apps/{name}:disable", "{}")).Ok();
        Assert.Equal("APP_NOT_FOUND", Reason(await _server.Visitor().GetAsync($"/v1/apps/{name}")));
        Assert.Equal("APP_STATE_DISABLED", (string)(await owner.GetAsync($"/v1/apps/{name}")).Ok()["state"]!);
        (await admin.PostAsync($"/v1/apps/{name}:enable", "{}")).Ok();
        (await _server.Visitor().GetAsync($"/v1/apps/{name}")).Ok();
    }

    [Fact]
    public async Task Strangers_change_nothing_and_an_app_does_not_act_as_its_owner()
    {
        var (owner, stranger) = (await _server.PersonAsync(), await _server.PersonAsync());
        var name = People.NewName();
        (await CreateAsync(owner, name)).Ok();
        foreach (var call in Calls(stranger, name))
        {
            Assert.Equal("APP_ROLE_REQUIRED", Reason(await call()));
        }

        // A token that the owner granted to an app has not the scope of their account.
        foreach (var call in Calls(owner.With(_server, "documents:*:write admin"), name))
        {
            Assert.Equal("SCOPE_REQUIRED", Reason(await call()));
        }

        foreach (var verb in new[] { "approvePrivileges", "verify", "disable", "enable" })
        {
            Assert.Equal("SCOPE_REQUIRED", Reason(await owner.PostAsync($"/v1/apps/{name}:{verb}", "{}")));
        }
    }

    [Fact]
    public async Task Admins_look_after_an_app_but_only_the_owner_gives_it_away()
    {
        var (owner, admin, other) = (await _server.PersonAsync(), await _server.PersonAsync(), await _server.PersonAsync());
        var name = People.NewName();
        (await CreateAsync(owner, name)).Ok();
        (await owner.PostAsync($"/v1/apps/{name}/admins", $$"""{"account":"{{admin.Did}}"}""")).Ok();
        (await owner.PostAsync($"/v1/apps/{name}/admins", $$"""{"account":"{{admin.Did}}"}""")).Ok();
        Assert.Equal("ACCOUNT_NOT_FOUND", Reason(await owner.PostAsync($"/v1/apps/{name}/admins", """{"account":"did:web:x:users:nobody"}""")));

        (await admin.PatchAsync($"/v1/apps/{name}?update_mask=manifest.description", """{"manifest":{"description":"By an admin"}}""")).Ok();
        Assert.Contains(name, (await admin.GetAsync("/v1/apps")).Ok().ToJsonString(), StringComparison.Ordinal);
        Assert.Equal("APP_ROLE_REQUIRED", Reason(await admin.PostAsync($"/v1/apps/{name}/admins", $$"""{"account":"{{other.Did}}"}""")));
        Assert.Equal("APP_ROLE_REQUIRED", Reason(await admin.DeleteAsync($"/v1/apps/{name}")));
        Assert.Equal("APP_ROLE_REQUIRED", Reason(await admin.PostAsync($"/v1/apps/{name}:transfer", $$"""{"account":"{{admin.Did}}"}""")));
        Assert.Equal("ACCOUNT_NOT_FOUND", Reason(await owner.PostAsync($"/v1/apps/{name}:transfer", $$"""{"account":"{{other.Did}}"}""")));

        (await owner.PostAsync($"/v1/apps/{name}:transfer", $$"""{"account":"{{admin.Did}}"}""")).Ok();
        var roles = (await owner.GetAsync($"/v1/apps/{name}/admins")).Ok()["admins"]!.AsArray();
        Assert.Equal([(admin.Did, "APP_ROLE_OWNER"), (owner.Did, "APP_ROLE_ADMIN")], roles.Select(static role => ((string)role!["account"]!, (string)role["role"]!)));
        (await owner.DeleteAsync($"/v1/apps/{name}/admins/{Uri.EscapeDataString(owner.Did)}")).Ok();
        Assert.Equal("APP_ROLE_REQUIRED", Reason(await owner.GetAsync($"/v1/apps/{name}/admins")));
    }

    [Fact]
    public async Task A_secret_is_shown_once_and_kept_as_a_hash_and_rotates_with_overlap()
    {
        var owner = await _server.PersonAsync();
        var name = People.NewName();
        var did = (string)(await CreateAsync(owner, name)).Ok()["did"]!;
        var first = (await owner.PostAsync($"/v1/apps/{name}/credentials", """{"name":"May"}""")).Ok();
        var second = (await owner.PostAsync($"/v1/apps/{name}/credentials", """{"name":"June"}""")).Ok();
        var secret = (string)first["secret"]!;

        var stored = await _server.Database.Owner.QueryAsync(
            $"select encode(secret_hash, 'hex') from vibe.app_credentials where app_did = {did} order by id", static row => row.GetString(0), CancellationToken.None);
        Assert.Equal(Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(secret))), stored[0]);
        Assert.Equal(2, stored.Count);
        var list = (await owner.GetAsync($"/v1/apps/{name}/credentials")).Ok();
        Assert.DoesNotContain(secret, list.ToJsonString(), StringComparison.Ordinal);
        Assert.DoesNotContain(secret, (await owner.GetAsync($"/v1/apps/{name}/auditEvents")).Ok().ToJsonString(), StringComparison.Ordinal);
        Assert.DoesNotContain(_server.Logs.Lines, line => line.Text.Contains(secret, StringComparison.Ordinal));

        (await owner.DeleteAsync($"/v1/apps/{name}/credentials/{first["credential"]!["id"]}")).Ok();
        Assert.Equal("CREDENTIAL_NOT_FOUND", Reason(await owner.DeleteAsync($"/v1/apps/{name}/credentials/{first["credential"]!["id"]}")));
        var left = Assert.Single((await owner.GetAsync($"/v1/apps/{name}/credentials")).Ok()["credentials"]!.AsArray());
        Assert.Equal((string)second["credential"]!["id"]!, (string)left!["id"]!);
    }

    [Fact]
    public async Task A_key_is_registered_by_its_public_half_only()
    {
        var owner = await _server.PersonAsync();
        var name = People.NewName();
        (await CreateAsync(owner, name)).Ok();
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var jwk = new VerificationKey(key).ToJwk();
        var made = (await owner.PostAsync($"/v1/apps/{name}/credentials", $$"""{"jwk":{{jwk.ToJsonString()}}}""")).Ok();
        Assert.Null(made["secret"]);
        Assert.Equal((string)jwk["kid"]!, (string)made["credential"]!["jwk"]!["kid"]!);

        foreach (var (spoiled, problem) in new[]
        {
            (With(jwk, "d", "AAAA"), "private"), (With(jwk, "x", (string)jwk["y"]!), "neither"), (With(jwk, "crv", "P-384"), "neither"),
            (new JsonObject { ["kty"] = "oct", ["k"] = "c2VjcmV0" }, "private"), (new JsonObject { ["kty"] = "RSA", ["n"] = "AQAB", ["e"] = "AQAB" }, "neither"),
        })
        {
            var refused = await owner.PostAsync($"/v1/apps/{name}/credentials", $$"""{"jwk":{{spoiled.ToJsonString()}}}""");
            Assert.Contains(problem, refused.Failed().Status.Message, StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task A_credential_is_for_an_app_that_can_keep_it_and_ten_are_enough()
    {
        var owner = await _server.PersonAsync();
        var (page, backend) = (People.NewName(), People.NewName());
        (await CreateAsync(owner, page, """ "clientType":"CLIENT_TYPE_WEB" """)).Ok();
        (await CreateAsync(owner, backend)).Ok();
        Assert.Equal("INVALID_ARGUMENT", Reason(await owner.PostAsync($"/v1/apps/{page}/credentials", "{}")));
        var answers = await Task.WhenAll(Enumerable.Range(0, 14).Select(_ => owner.PostAsync($"/v1/apps/{backend}/credentials", "{}")));
        Assert.Equal(10, answers.Count(static answer => answer.IsOk));
        Assert.Equal(10, (await owner.GetAsync($"/v1/apps/{backend}/credentials")).Ok()["credentials"]!.AsArray().Count);
    }

    [Fact]
    public async Task Privileges_wait_for_an_operator_and_more_of_them_wait_again()
    {
        var (owner, admin) = (await _server.PersonAsync(), await AdminAsync());
        var name = People.NewName();
        (await CreateAsync(owner, name, """ "privileges":["documents:notes:read","documents:tasks:write"] """)).Ok();
        Assert.Null((await owner.GetAsync($"/v1/apps/{name}")).Ok()["approvedPrivileges"]);
        Assert.Contains(name, (await admin.GetAsync("/v1/apps?all=true&waiting=true&page_size=200")).Ok().ToJsonString(), StringComparison.Ordinal);
        Assert.Equal("INVALID_ARGUMENT", Reason(await admin.PostAsync($"/v1/apps/{name}:approvePrivileges", """{"privileges":["documents:secrets:read"]}""")));

        var both = (await admin.PostAsync($"/v1/apps/{name}:approvePrivileges", """{"privileges":["documents:notes:read","documents:tasks:write"]}""")).Ok();
        Assert.Equal(2, both["approvedPrivileges"]!.AsArray().Count);
        Assert.DoesNotContain(name, (await admin.GetAsync("/v1/apps?all=true&waiting=true&page_size=200")).Ok().ToJsonString(), StringComparison.Ordinal);

        var other = (await owner.PatchAsync(
            $"/v1/apps/{name}?update_mask=manifest.privileges", """{"manifest":{"privileges":["documents:notes:read","documents:people:read"]}}""")).Ok();
        Assert.Equal(["documents:notes:read"], other["approvedPrivileges"]!.AsArray().Select(static item => (string)item!));
        Assert.Contains(name, (await admin.GetAsync("/v1/apps?all=true&waiting=true&page_size=200")).Ok().ToJsonString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_operators_check_does_not_outlive_the_name_and_the_place_it_was_for()
    {
        var (owner, admin) = (await _server.PersonAsync(), await AdminAsync());
        foreach (var (field, value) in new[]
        {
            ("displayName", $"\"{People.NewName()}\""), ("homepageUri", "\"https://other.example/\""), ("origins", """["https://other.example"]"""),
        })
        {
            var name = People.NewName();
            (await CreateAsync(owner, name)).Ok();
            Assert.True((bool)(await admin.PostAsync($"/v1/apps/{name}:verify", "{}")).Ok()["verified"]!);
            Assert.True((bool)(await owner.PatchAsync($"/v1/apps/{name}?update_mask=manifest.description", """{"manifest":{"description":"x"}}""")).Ok()["verified"]!);
            var renamed = (await owner.PatchAsync($"/v1/apps/{name}?update_mask=manifest.{field}", $$$"""{"manifest":{"{{{field}}}":{{{value}}}}}""")).Ok();
            Assert.Null(renamed["verified"]);
        }
    }

    [Fact]
    public async Task A_name_that_looks_like_another_apps_is_refused_when_made_and_when_changed()
    {
        var owner = await _server.PersonAsync();
        var (known, other) = (People.NewName(), People.NewName());
        (await CreateAsync(owner, known, """ "displayName":"Lumine Bank" """)).Ok();
        var field = (await CreateAsync(owner, People.NewName(), """ "displayName":"LUM1NE-BANK" """)).Failed().Violations[0].Field;
        Assert.Equal("app.manifest.displayName", field);
        (await CreateAsync(owner, other)).Ok();
        field = (await owner.PatchAsync($"/v1/apps/{other}?update_mask=manifest.displayName", """{"manifest":{"displayName":"Lumine  Bank."}}""")).Failed().Violations[0].Field;
        Assert.Equal("app.manifest.displayName", field);
        Assert.Equal("app.name", (await CreateAsync(owner, "vibe-support")).Failed().Violations[0].Field);
        (await owner.DeleteAsync($"/v1/apps/{known}")).Ok();
        (await CreateAsync(owner, People.NewName(), """ "displayName":"Lumine Bank" """)).Ok();
    }

    [Fact]
    public async Task A_dry_run_says_what_is_wrong_and_changes_nothing()
    {
        var owner = await _server.PersonAsync();
        var name = People.NewName();
        Assert.Null((await owner.PostAsync("/v1/apps?validate_only=true", Body(name, ""))).Ok()["did"]);
        Assert.Equal("APP_NOT_FOUND", Reason(await owner.GetAsync($"/v1/apps/{name}")));
        (await CreateAsync(owner, name)).Ok();
        Assert.Equal("APP_ALREADY_EXISTS", Reason(await owner.PostAsync("/v1/apps?validate_only=true", Body(name, ""))));
    }

    [Fact]
    public async Task Declared_fields_become_suggested_indexes()
    {
        var owner = await _server.PersonAsync();
        var collection = _server.Collection();
        (await CreateAsync(owner, People.NewName(), $$""" "collections":[{"collection":"{{collection}}","indexedFields":["data.author","data.kind,data.author,data.date"]}] """)).Ok();
        var indexes = (await owner.GetAsync($"/v1/fieldIndexes?collection={collection}")).Ok()["fieldIndexes"]!.AsArray();
        Assert.Equal(
            [("data.author", "STATE_SUGGESTED"), ("data.author, data.kind, data.date", "STATE_SUGGESTED")],
            indexes.Select(static index => ((string)index!["path"]!, (string)index["state"]!)));
    }

    [Fact]
    public async Task The_audit_log_tells_everything_that_was_done_page_by_page()
    {
        var (owner, admin) = (await _server.PersonAsync(), await AdminAsync());
        var name = People.NewName();
        (await CreateAsync(owner, name)).Ok();
        (await owner.PatchAsync($"/v1/apps/{name}?update_mask=manifest.description", """{"manifest":{"description":"x"}}""")).Ok();
        (await admin.PostAsync($"/v1/apps/{name}:disable", """{"reason":"spam"}""")).Ok();
        var types = new List<string>();
        var page = "";
        do
        {
            var answer = (await owner.GetAsync($"/v1/apps/{name}/auditEvents?page_size=2&page_token={page}")).Ok();
            types.AddRange(answer["events"]!.AsArray().Select(static told => $"{told!["type"]} {told["details"]?.ToJsonString()}"));
            page = (string?)answer["nextPageToken"] ?? "";
        }
        while (page.Length > 0);
        Assert.Equal(["""app.disable {"reason":"spam"}""", """app.update {"fields":"description"}""", "app.create {}"], types);
    }

    [Theory]
    [InlineData("disable")]
    [InlineData("delete")]
    public async Task A_stopped_app_is_refused_at_its_next_call(string how)
    {
        await using var server = await ApiServer.StartAsync(await cluster.CreateEmptyDatabaseAsync());
        await server.Database.Owner.ExecuteAsync($"insert into vibe.apps (did, name) values ({ApiServer.App1}, 'one')", CancellationToken.None);
        var (user, admin) = (server.User(), await server.PersonAsync("account admin"));
        (await user.GetAsync("/v1/documents?collection=notes")).Ok();

        // The operator's token must not be one of the app's own.
        var other = new ApiUser(server, admin.Did, server.Sign(admin.Did, "account admin", client: "did:web:vibe.test:apps:console"));
        (how == "disable" ? await other.PostAsync("/v1/apps/one:disable", "{}") : await other.DeleteAsync("/v1/apps/one")).Ok();
        Assert.Equal("TOKEN_REVOKED", Reason(await user.GetAsync("/v1/documents?collection=notes")));
        (await other.GetAsync("/v1/apps?all=true")).Ok();
    }

    private static string Reason(ApiAnswer answer) => answer.Failed().Info.Reason;

    private static JsonObject With(JsonObject jwk, string name, string value)
    {
        var copy = jwk.DeepClone().AsObject();
        copy[name] = value;
        return copy;
    }

    private static IEnumerable<Func<Task<ApiAnswer>>> Calls(ApiUser user, string name) =>
    [
        () => user.PatchAsync($"/v1/apps/{name}", """{"manifest":{}}"""),
        () => user.DeleteAsync($"/v1/apps/{name}"),
        () => user.PostAsync($"/v1/apps/{name}:transfer", $$"""{"account":"{{user.Did}}"}"""),
        () => user.GetAsync($"/v1/apps/{name}/admins"),
        () => user.PostAsync($"/v1/apps/{name}/admins", $$"""{"account":"{{user.Did}}"}"""),
        () => user.DeleteAsync($"/v1/apps/{name}/admins/x"),
        () => user.PostAsync($"/v1/apps/{name}/credentials", "{}"),
        () => user.GetAsync($"/v1/apps/{name}/credentials"),
        () => user.DeleteAsync($"/v1/apps/{name}/credentials/{Guid.NewGuid()}"),
        () => user.GetAsync($"/v1/apps/{name}/auditEvents"),
    ];

    private async Task<ApiUser> AdminAsync() => await _server.PersonAsync("account admin");

    private static string Body(string name, string more) => JsonNode.Parse(
        $$$"""{"name":"{{{name}}}","manifest":{"displayName":"{{{name}}}","clientType":"CLIENT_TYPE_CONFIDENTIAL","origins":["https://app.example"]}}""")!.AsObject() is var app
        && more.Length > 0 ? Merge(app, JsonNode.Parse($"{{{more}}}")!.AsObject()) : app.ToJsonString();

    private static string Merge(JsonObject app, JsonObject more)
    {
        foreach (var (key, value) in more)
        {
            app["manifest"]![key] = value?.DeepClone();
        }

        return app.ToJsonString();
    }

    private static Task<ApiAnswer> CreateAsync(ApiUser owner, string name, string more = "") => owner.PostAsync("/v1/apps", Body(name, more));
}
