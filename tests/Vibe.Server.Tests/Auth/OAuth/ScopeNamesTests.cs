using Vibe.Apps.V1;
using Vibe.Server.Auth.OAuth;

namespace Vibe.Server.Tests.Auth.OAuth;

/// <summary>What an app's token may say.</summary>
public sealed class ScopeNamesTests
{
    [Fact]
    public void No_manifest_makes_an_app_an_operator_or_a_person_at_their_account()
    {
        var manifest = new AppManifest();
        manifest.Scopes.Add(new ScopeRequest { Name = "admin" });
        manifest.Scopes.Add(new ScopeRequest { Name = "account" });
        manifest.Scopes.Add(new ScopeRequest { Name = "bundle", Grants = { "admin", "account", "openid", "documents:notes:read" } });
        var client = new Client
        {
            Did = "did:web:vibe.test:apps:x",
            Name = "x",
            Manifest = manifest,
            Verified = true,
            IsDisabled = false,
            CreateTime = DateTimeOffset.UnixEpoch,
            ApprovedPrivileges = [],
        };

        Assert.Equal("openid bundle documents:notes:read", ScopeNames.Expand(client, ["openid", "admin", "account", "bundle"]));
        Assert.Throws<OAuthError>(() => ScopeNames.Check(client, ["admin"]));
        Assert.Throws<OAuthError>(() => ScopeNames.Check(client, ["account"]));
    }
}
