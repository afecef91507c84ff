namespace Vibe.Server.Auth.OAuth;

/// <summary>What a person allows an app.</summary>
/// <param name="Id">Its id.</param>
/// <param name="App">The app's DID.</param>
/// <param name="Scopes">As the app asked: documents scopes, names of bundles, openid, profile, offline_access.</param>
/// <param name="CreateTime">When the person first let the app in.</param>
/// <param name="LastUseTime">When the app last got a token on it.</param>
/// <param name="ExpireTime">When it ends by itself; null for never.</param>
internal sealed record Grant(
    Guid Id, string App, IReadOnlyList<string> Scopes, DateTimeOffset CreateTime, DateTimeOffset LastUseTime, DateTimeOffset? ExpireTime);
