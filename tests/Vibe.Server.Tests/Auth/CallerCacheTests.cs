using System.Security.Cryptography;
using Grpc.Core;
using Vibe.Rpc;
using Vibe.Server.Auth;
using Vibe.Server.Auth.Revocations;
using Vibe.Server.Auth.Tokens;
using Vibe.Server.Kernel;

namespace Vibe.Server.Tests.Auth;

public sealed class CallerCacheTests
{
    private const string User = "did:web:vibe.localhost:users:1";
    private const string App = "did:web:vibe.localhost:apps:2";
    private static readonly DateTimeOffset Start = new(2026, 1, 1, 0, 0, 0, TimeSpan.Zero);
    private readonly MovingTime _time = new(Start);
    private readonly RevocationSet _revocations;
    private readonly TokenCodec _codec;
    private readonly CallerCache _callers;

    public CallerCacheTests()
    {
        var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        _codec = new TokenCodec(new SigningKeys([new SigningKey(key, KeyState.Active, default)]), new AuthOptions { Issuer = "http://vibe.localhost" }, _time);
        _revocations = new RevocationSet(_time);
        _callers = new CallerCache(_codec, _revocations, _time);
    }

    [Fact]
    public void A_user_counts_as_one_of_the_users()
    {
        var caller = _callers.Authenticate(Token(User, App));
        Assert.Equal((User, App), (caller.Did, caller.App));
        Assert.Equal([User, PrincipalName.Users], caller.Principals.AsEnumerable());
    }

    [Fact]
    public void An_app_acting_as_itself_is_no_user() => Assert.Equal([App], _callers.Authenticate(Token(App, App)).Principals.AsEnumerable());

    [Fact]
    public void The_same_token_gives_the_same_caller_without_verifying_again()
    {
        var token = Token(User, App);
        Assert.Same(_callers.Authenticate(token), _callers.Authenticate(token));
    }

    [Fact]
    public void A_remembered_token_still_expires()
    {
        var token = Token(User, App, seconds: 40);
        _callers.Authenticate(token);
        _time.Now = Start.AddSeconds(71);
        var error = Assert.Throws<RpcException>(() => _callers.Authenticate(token));
        Assert.Equal("TOKEN_EXPIRED", error.GetErrorInfo()!.Reason);
    }

    [Fact]
    public void Text_that_is_not_ASCII_never_hits_a_remembered_token()
    {
        var token = Token(User, App);
        _callers.Authenticate(token);
        Assert.Throws<RpcException>(() => _callers.Authenticate(token[..^1] + "é"));
    }

    [Theory]
    [InlineData("grant")]
    [InlineData("consent")]
    [InlineData("account")]
    [InlineData("app")]
    public void A_remembered_token_that_is_revoked_is_refused(string what)
    {
        var (token, other) = (Token(User, App), Token("did:web:vibe.localhost:users:2", "did:web:vibe.localhost:apps:3", grant: "other"));
        _callers.Authenticate(token);
        _callers.Authenticate(other);
        _revocations.Apply(Revoked(what switch
        {
            "grant" => Revocation.OfGrant("grant"),
            "consent" => Revocation.OfConsent(User, App),
            "account" => Revocation.OfAccount(User),
            _ => Revocation.OfApp(App),
        }));
        for (var i = 0; i < 2; i++)
        {
            var error = Assert.Throws<RpcException>(() => _callers.Authenticate(token));
            Assert.Equal((StatusCode.Unauthenticated, "TOKEN_REVOKED"), (error.StatusCode, error.GetErrorInfo()!.Reason));
        }

        _callers.Authenticate(other);
    }

    [Fact]
    public void A_token_that_was_never_seen_before_is_refused_when_revoked()
    {
        _revocations.Apply(Revoked(Revocation.OfGrant("grant")));
        Assert.Throws<RpcException>(() => _callers.Authenticate(Token(User, App)));
        _callers.Authenticate(Token(User, App, grant: "another"));
    }

    [Fact]
    public void After_a_change_of_principals_the_caller_is_made_anew_once()
    {
        var token = Token(User, App);
        var before = _callers.Authenticate(token);
        _revocations.Apply(Revoked(Revocation.OfPrincipals(User)));
        var after = _callers.Authenticate(token);
        Assert.NotSame(before, after);
        Assert.Null(_revocations.LossOf(after));
        Assert.Same(after, _callers.Authenticate(token));
    }

    private Revocation Revoked(Revocation revocation) => revocation with { RevokeTime = _time.Now, ExpireTime = _time.Now.AddMinutes(11) };

    private string Token(string subject, string client, int seconds = 600, string grant = "grant") => _codec.Sign(new AccessToken
    {
        Subject = subject, Client = client, Scope = "documents:*:write", Grant = grant, ExpireTime = Start.AddSeconds(seconds),
    });
}
