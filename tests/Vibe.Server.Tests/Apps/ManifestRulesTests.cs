using Google.Protobuf;
using Vibe.Apps.V1;
using Vibe.Server.Apps.Manifests;
using Vibe.Server.Auth;

namespace Vibe.Server.Tests.Apps;

public sealed class ManifestRulesTests
{
    private static readonly ManifestRules Rules = new(new AuthOptions { Issuer = "https://vibe.example" });

    [Fact]
    public void A_whole_manifest_passes() => Assert.Empty(Rules.Check(Good(), ""));

    [Theory]
    [InlineData("https://app.example/cb#part")]
    [InlineData("https://*.app.example/cb")]
    [InlineData("https://app.example/*")]
    [InlineData("https://me@app.example/cb")]
    [InlineData("https://app.example/a/../cb")]
    [InlineData("https://app.example/%2e%2e/cb")]
    [InlineData("https://APP.example/cb")]
    [InlineData("https://app.example:443/cb")]
    [InlineData("https://app.example\\cb")]
    [InlineData("https://ex\u0430mple.com/cb")]
    [InlineData("//app.example/cb")]
    [InlineData("/cb")]
    [InlineData("cb")]
    [InlineData("http://app.example/cb")]
    [InlineData("http://localhost.evil.example/cb")]
    [InlineData("http://10.0.0.1/cb")]
    [InlineData("javascript:alert(1)")]
    [InlineData("data:text/html,x")]
    [InlineData("com.example.app:/cb")]
    [InlineData("https://vibe.example/console")]
    [InlineData("https://vibe.example")]
    public void A_redirect_uri_that_could_lead_elsewhere_is_refused(string uri) => Assert.Equal(
        "redirectUris[0]", Assert.Single(Broken(manifest => manifest.RedirectUris[0] = uri)));

    [Theory]
    [InlineData("https://app.example/cb?x=1", ClientType.Web)]
    [InlineData("http://localhost:5173/cb", ClientType.Web)]
    [InlineData("http://my-app.localhost:5173/cb", ClientType.Confidential)]
    [InlineData("http://127.0.0.1/cb", ClientType.Native)]
    [InlineData("http://[::1]:8080/cb", ClientType.Native)]
    [InlineData("com.example.app:/cb", ClientType.Native)]
    public void A_redirect_uri_of_the_right_kind_is_taken(string uri, ClientType client) => Assert.Empty(Broken(manifest =>
    {
        manifest.ClientType = client;
        manifest.Privileges.Clear();
        manifest.RedirectUris[0] = uri;
    }));

    [Theory]
    [InlineData("javascript:/cb")]
    [InlineData("myapp:/cb")]
    [InlineData("file:///etc/passwd")]
    public void A_scheme_nobody_owns_is_refused_of_a_program_on_a_device_too(string uri) => Assert.Equal(
        "redirectUris[0]", Assert.Single(Broken(manifest =>
        {
            manifest.ClientType = ClientType.Native;
            manifest.Privileges.Clear();
            manifest.RedirectUris[0] = uri;
        })));

    [Theory]
    [InlineData("https://app.example/")]
    [InlineData("https://app.example/path")]
    [InlineData("http://app.example")]
    [InlineData("app.example")]
    [InlineData("https://App.example")]
    [InlineData("https://vibe.example")]
    [InlineData("*")]
    [InlineData("null")]
    public void An_origin_is_scheme_host_and_port_and_not_ours(string origin) => Assert.Equal(
        "origins[0]", Assert.Single(Broken(manifest => manifest.Origins[0] = origin)));

    [Theory]
    [InlineData("documents:*:read")]
    [InlineData("documents:notes:admin")]
    [InlineData("documents:Notes:read")]
    [InlineData("admin")]
    [InlineData("account")]
    [InlineData("openid")]
    [InlineData("offline_access")]
    [InlineData("two words")]
    [InlineData("")]
    public void A_scope_that_means_something_else_or_everything_is_refused(string name) => Assert.Contains(
        "scopes[0].name", Broken(manifest => manifest.Scopes[0].Name = name));

    [Fact]
    public void Each_mistake_is_named()
    {
        Assert.Equal(["scopes[1].grants[0]"], Broken(manifest => manifest.Scopes[1].Grants[0] = "admin"));
        Assert.Equal(["scopes[1].grants"], Broken(manifest => manifest.Scopes[1].Grants.Clear()));
        Assert.Equal(["scopes[0].grants"], Broken(manifest => manifest.Scopes[0].Grants.Add("documents:notes:read")));
        Assert.Equal(["scopes[1].name"], Broken(manifest => manifest.Scopes.Insert(1, manifest.Scopes[0])));
        Assert.Equal(["scopes[0].descriptions"], Broken(manifest => manifest.Scopes[0].Descriptions.Remove("en")));
        Assert.Equal(["scopes[0].descriptions.en"], Broken(manifest => manifest.Scopes[0].Descriptions["en"] = "\u202eevil"));
        Assert.Equal(["scopes[0].descriptions"], Broken(manifest => manifest.Scopes[0].Descriptions["not a tag"] = "x"));
        Assert.Equal(["privileges[0]"], Broken(manifest => manifest.Privileges[0] = "documents:*:write"));
        Assert.Equal(["privileges"], Broken(manifest => manifest.ClientType = ClientType.Web));
        Assert.Equal(["collections[0]"], Broken(manifest => manifest.Collections[0].Collection = "No"));
        Assert.Equal(["collections[0].indexedFields[0]"], Broken(manifest => manifest.Collections[0].IndexedFields[0] = "owner"));
        Assert.Equal(["collections[0].indexedFields[0]"], Broken(manifest => manifest.Collections[0].IndexedFields[0] = "data.a, data.a"));
        Assert.Equal(["visitorCollections[0]"], Broken(manifest => manifest.VisitorCollections[0] = "*"));
        Assert.Equal(["homepageUri"], Broken(manifest => manifest.HomepageUri = "javascript:alert(1)"));
        Assert.Equal(["idTokenSignedResponseAlg"], Broken(manifest => manifest.IdTokenSignedResponseAlg = "none"));
        Assert.Equal(["redirectUris[1]"], Broken(manifest => manifest.RedirectUris.Add(manifest.RedirectUris[0])));
        Assert.Equal(["displayName", "origins[0]"], Broken(manifest => (manifest.DisplayName, manifest.Origins[0]) = ("Vibe", "x")));
    }

    internal static AppManifest Good() => new()
    {
        DisplayName = "Notes", Description = "Keeps notes", HomepageUri = "https://app.example/", ClientType = ClientType.Confidential,
        Origins = { "https://app.example", "http://notes.localhost:5173" },
        RedirectUris = { "https://app.example/cb" },
        Scopes =
        {
            new ScopeRequest { Name = "documents:notes:read", Descriptions = { ["en"] = "Show your notes", ["de-CH"] = "Deine Notizen zeigen" } },
            new ScopeRequest { Name = "write-notes", Grants = { "documents:notes:write" }, Descriptions = { ["en"] = "Write notes" } },
        },
        Collections = { new CollectionDeclaration { Collection = "notes", Description = "Notes", IndexedFields = { "data.author" } } },
        Privileges = { "documents:notes:read" },
        VisitorCollections = { "notes" },
    };

    private static List<string> Broken(Action<AppManifest> spoil)
    {
        var manifest = Good();
        spoil(manifest);
        // What is stored is what was checked.
        Assert.Equal(manifest, JsonParser.Default.Parse<AppManifest>(JsonFormatter.Default.Format(manifest)));
        return [.. Rules.Check(manifest, "").Select(static violation => violation.Field)];
    }
}
