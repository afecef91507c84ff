using System.Text.Json.Nodes;
using Grpc.Core;
using Vibe.Client.Calls;

namespace Vibe.Client.Auth;

/// <summary>The tokens of the person who is signed in.</summary>
internal sealed class UserTokens(Connection connection) : RenewedTokens(connection.Time), IDisposable
{
    private readonly SemaphoreSlim _turn = new(1, 1);
    private KeptSession? _kept;
    private DpopKey? _key;
    private bool _loaded;

    /// <summary>Who is signed in; null when nobody is.</summary>
    public async Task<VibeSession?> GetSessionAsync(CancellationToken cancellationToken)
    {
        await _turn.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            await LoadAsync(cancellationToken).ConfigureAwait(false);
            return _kept?.ToSession();
        }
        finally
        {
            _turn.Release();
        }
    }

    /// <summary>Somebody has signed in.</summary>
    /// <param name="answer">Their tokens.</param>
    /// <param name="key">The key they are bound to.</param>
    /// <param name="nonce">What the ID token must say; null where the flow has none.</param>
    public async Task<VibeSession> SignInAsync(TokenAnswer answer, DpopKey? key, string? nonce)
    {
        var discovery = await connection.Provider.DiscoverAsync(CancellationToken.None).ConfigureAwait(false);
        var claims = ClaimsOf(answer, discovery.Issuer, nonce);
        var handle = (string?)claims["preferred_username"] ?? "";
        await _turn.WaitAsync().ConfigureAwait(false);
        try
        {
            await LoadAsync(CancellationToken.None).ConfigureAwait(false);
            var before = _kept?.RefreshToken;
            var kept = new KeptSession
            {
                Did = (string)claims["sub"]!,
                Handle = handle,
                Name = (string?)claims["name"] ?? handle,
                Scope = answer.Scope,
                AccessToken = answer.AccessToken,
                UseUntil = AccessToken.EndOf(answer.Life, connection.Time),
                RefreshToken = answer.RefreshToken,
                Key = key?.Export(),
            };
            _key = key;
            await KeepAsync(kept).ConfigureAwait(false);
            await RevokeAsync(before).ConfigureAwait(false);
            return kept.ToSession();
        }
        finally
        {
            _turn.Release();
        }
    }

    /// <summary>Forgets the session here, and ends it at the server when that can be reached.</summary>
    public async Task SignOutAsync()
    {
        await _turn.WaitAsync().ConfigureAwait(false);
        try
        {
            await LoadAsync(CancellationToken.None).ConfigureAwait(false);
            var before = _kept?.RefreshToken;
            await KeepAsync(null).ConfigureAwait(false);
            await RevokeAsync(before).ConfigureAwait(false);
        }
        finally
        {
            _turn.Release();
        }
    }

    public void Dispose() => _turn.Dispose();

    protected override async Task<AccessToken?> RenewAsync(string? refused)
    {
        await _turn.WaitAsync().ConfigureAwait(false);
        try
        {
            await LoadAsync(CancellationToken.None).ConfigureAwait(false);
            if (_kept is not { } kept)
            {
                return null;
            }

            if (kept.IsExpired)
            {
                throw Ended();
            }

            var current = new AccessToken(kept.AccessToken, _key, kept.UseUntil);
            if (kept.AccessToken != refused && current.IsGood(connection.Time))
            {
                Replace(current);
                return current;
            }

            if (await RefreshAsync(kept).ConfigureAwait(false) is not { } answer)
            {
                await KeepAsync(kept with { IsExpired = true, RefreshToken = null }).ConfigureAwait(false);
                throw Ended();
            }

            VibeLog.Renewed(connection.Log);
            await KeepAsync(kept with
            {
                AccessToken = answer.AccessToken,
                UseUntil = AccessToken.EndOf(answer.Life, connection.Time),
                RefreshToken = answer.RefreshToken ?? kept.RefreshToken,
                Scope = answer.Scope,
            }).ConfigureAwait(false);
            return answer.ToAccessToken(_key, connection.Time);
        }
        finally
        {
            _turn.Release();
        }
    }

    // Null when the session has ended.
    private async Task<TokenAnswer?> RefreshAsync(KeptSession kept)
    {
        if (kept.RefreshToken is null)
        {
            return null;
        }

        try
        {
            var discovery = await connection.Provider.DiscoverAsync(CancellationToken.None).ConfigureAwait(false);
            return TokenAnswer.Read(await connection.Provider.PostAsync(
                discovery.TokenEndpoint,
                [new("grant_type", "refresh_token"), new("client_id", connection.Options.App!), new("refresh_token", kept.RefreshToken)],
                _key, CancellationToken.None).ConfigureAwait(false));
        }
        catch (VibeException exception) when (exception.Reason == "GRANT_INVALID")
        {
            return null;
        }
    }

    private async Task LoadAsync(CancellationToken cancellationToken)
    {
        if (_loaded)
        {
            return;
        }

        _kept = KeptSession.Read(await connection.Options.SessionStore.LoadAsync(cancellationToken).ConfigureAwait(false));
        _key = _kept?.Key is { } key ? new DpopKey(key) : null;
        _loaded = true;
    }

    private async Task KeepAsync(KeptSession? kept)
    {
        _kept = kept;
        Replace(kept is null or { IsExpired: true } ? null : new AccessToken(kept.AccessToken, _key, kept.UseUntil));
        await connection.Options.SessionStore.SaveAsync(kept?.ToBytes(), CancellationToken.None).ConfigureAwait(false);
    }

    private async Task RevokeAsync(string? refreshToken)
    {
        if (refreshToken is null)
        {
            return;
        }

        try
        {
            var discovery = await connection.Provider.DiscoverAsync(CancellationToken.None).ConfigureAwait(false);
            await connection.Provider.PostAsync(
                discovery.RevocationEndpoint,
                [new("client_id", connection.Options.App!), new("token", refreshToken), new("token_type_hint", "refresh_token")],
                key: null, CancellationToken.None).ConfigureAwait(false);
        }
        catch (VibeException)
        {
            // Here it is forgotten; at the server it ends by itself.
        }
    }

    private JsonObject ClaimsOf(TokenAnswer answer, string issuer, string? nonce)
    {
        var claims = answer.IdToken is { } token ? JwtWriter.ClaimsOf(token) : null;
        return claims is not null && (string?)claims["iss"] == issuer && claims["aud"] is JsonValue audience
            && audience.GetValue<string>() == connection.Options.App && (nonce is null || (string?)claims["nonce"] == nonce)
            && (string?)claims["sub"] is { Length: > 0 }
            ? claims
            : throw new VibeException(StatusCode.Unauthenticated, "TOKEN_INVALID", "The ID token is not the one that was asked for.");
    }

    private static VibeException Ended() =>
        new(StatusCode.Unauthenticated, "TOKEN_REVOKED", "The session has ended: sign in again.");
}
