using Google.Protobuf.WellKnownTypes;
using Grpc.Core;
using Vibe.Auth.V1;
using Vibe.Server.Auth.Tokens;
using Vibe.Server.Kernel;
using Vibe.Server.Pipeline;

namespace Vibe.Server.Auth.OAuth;

/// <summary>The contract's way to tokens: takes a message for a form, and leaves the rules to <see cref="TokenGrants"/>.</summary>
internal sealed class AuthService(
    Clients clients, ClientChallenges challenges, ClientAuthentication authentication, TokenGrants grants, TokenFamilies families, AuthOptions options,
    DpopProofs proofs) : Vibe.Auth.V1.AuthService.AuthServiceBase
{
    /// <inheritdoc/>
    public override async Task<CreateChallengeResponse> CreateChallenge(CreateChallengeRequest request, ServerCallContext context)
    {
        var client = await clients.FindAsync(request.ClientId, context.CancellationToken);
        if (client is not { IsConfidential: true, IsDisabled: false })
        {
            throw OAuthRpcErrors.Of(OAuthError.InvalidClient());
        }

        var (challenge, expireTime) = challenges.Create(client.Did);
        return new CreateChallengeResponse { Challenge = challenge, ExpireTime = Timestamp.FromDateTimeOffset(expireTime) };
    }

    /// <inheritdoc/>
    public override async Task<IssueTokenResponse> IssueToken(IssueTokenRequest request, ServerCallContext context)
    {
        (string, string?)[] grant = request.GrantCase switch
        {
            IssueTokenRequest.GrantOneofCase.AuthorizationCode =>
            [
                ("grant_type", "authorization_code"), ("code", request.AuthorizationCode.Code), ("redirect_uri", request.AuthorizationCode.RedirectUri),
                ("code_verifier", request.AuthorizationCode.CodeVerifier),
            ],
            IssueTokenRequest.GrantOneofCase.AppItself => [("grant_type", "client_credentials"), ("scope", request.AppItself.Scope)],
            _ => throw VibeError.InvalidField("grant", "is missing: authorizationCode or appItself", "required"),
        };
        return new IssueTokenResponse { Tokens = await IssueAsync(request.Client, grant, context) };
    }

    /// <inheritdoc/>
    public override async Task<RefreshTokenResponse> RefreshToken(RefreshTokenRequest request, ServerCallContext context) => new()
    {
        Tokens = await IssueAsync(
            request.Client, [("grant_type", "refresh_token"), ("refresh_token", request.RefreshToken), ("scope", request.Scope)], context),
    };

    /// <inheritdoc/>
    public override async Task<RevokeTokenResponse> RevokeToken(RevokeTokenRequest request, ServerCallContext context)
    {
        // A token of the account page names its session instead: the token ends, the session stays.
        if (Guid.TryParse(context.GetCaller().Grant, out var family))
        {
            await families.RevokeAsync(family, "revoke", OAuthAnswers.NetworkOf(context.GetHttpContext()), context.CancellationToken);
        }

        return new RevokeTokenResponse();
    }

    private async Task<Vibe.Auth.V1.Tokens> IssueAsync(ClientProof proof, (string Name, string? Value)[] grant, ServerCallContext context)
    {
        try
        {
            var parameters = new Parameters(
            [
                .. grant.Select(static pair => KeyValuePair.Create(pair.Name, pair.Value)),
                new("client_id", proof.ClientId),
                new("client_secret", proof.ClientSecret),
                new("client_assertion", proof.ClientAssertion),
                new("client_assertion_type", proof.ClientAssertion.Length > 0 ? ClientAssertions.Type : null),
            ]);
            var client = await authentication.AuthenticateAsync(authorization: null, parameters, context.CancellationToken);
            var http = context.GetHttpContext();
            var shown = new TokenContext(OAuthAnswers.ReadProof(http, options, proofs), OAuthAnswers.NetworkOf(http), Origin: null);
            return Write(await grants.IssueAsync(client, parameters, shown, context.CancellationToken));
        }
        catch (OAuthError error)
        {
            throw OAuthRpcErrors.Of(error);
        }
    }

    private static Vibe.Auth.V1.Tokens Write(IssuedTokens tokens) => new()
    {
        AccessToken = tokens.AccessToken,
        TokenType = tokens.TokenType,
        Life = Duration.FromTimeSpan(tokens.Life),
        Scope = tokens.Scope,
        RefreshToken = tokens.RefreshToken ?? "",
        IdToken = tokens.IdToken ?? "",
    };
}
