using Vibe.Server.Auth.Tokens;

namespace Vibe.Server.Auth.Accounts;

/// <summary>Access tokens for the account pages themselves: no app stands between them and the person.</summary>
internal sealed class AccountTokens(Sessions sessions, TokenCodec codec, AccountOptions options, TimeProvider time)
{
    /// <summary>A token with the scope <c>account</c>; <c>admin</c> too for an operator who has proved who they are lately. It ends with the session.</summary>
    /// <exception cref="Grpc.Core.RpcException">SIGN_IN_REQUIRED.</exception>
    public async Task<AccountTokenAnswer> IssueAsync(HttpContext http, CancellationToken cancellationToken)
    {
        var session = await sessions.RequireAsync(http, cancellationToken);
        var now = time.GetUtcNow();
        var expireTime = now + options.AccountTokenLife;
        var token = codec.Sign(new AccessToken
        {
            Subject = session.Did,
            Scope = session.IsOperator && session.IsFresh(now) ? "account admin" : "account",
            Grant = session.Id.ToString(),
            ExpireTime = expireTime,
        });
        return new AccountTokenAnswer(token, expireTime);
    }
}

/// <summary>A token of the account pages.</summary>
/// <param name="AccessToken">For <c>Authorization: Bearer</c>.</param>
/// <param name="ExpireTime">When it ends.</param>
internal sealed record AccountTokenAnswer(string AccessToken, DateTimeOffset ExpireTime);
