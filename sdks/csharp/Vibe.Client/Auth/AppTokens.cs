using Vibe.Client.Calls;

namespace Vibe.Client.Auth;

/// <summary>The tokens of an app that acts as itself (RFC 6749 section 4.4).</summary>
internal sealed class AppTokens(Connection connection, Func<AssertionContext, KeyValuePair<string, string>[]> prove, string? scope)
    : RenewedTokens(connection.Time)
{
    private readonly DpopKey? _key = connection.Options.UseDpop ? new DpopKey() : null;

    // A secret gets a new token also after the old one was revoked with its session.
    public override bool OutlivesRevocation => true;

    protected override async Task<AccessToken?> RenewAsync(string? refused)
    {
        var app = connection.Options.App!;
        var discovery = await connection.Provider.DiscoverAsync(CancellationToken.None).ConfigureAwait(false);
        var answer = await connection.Provider.PostAsync(
            discovery.TokenEndpoint,
            [
                new("grant_type", "client_credentials"), new("client_id", app),
                .. prove(new AssertionContext(app, discovery.Issuer, connection.Provider.Now)),
                .. scope is null ? [] : (KeyValuePair<string, string>[])[new("scope", scope)],
            ],
            _key, CancellationToken.None).ConfigureAwait(false);
        VibeLog.Renewed(connection.Log);
        var token = TokenAnswer.Read(answer).ToAccessToken(_key, connection.Time);
        Replace(token);
        return token;
    }
}
