using System.Security.Cryptography;
using Grpc.Core;
using Vibe.Rpc;
using Vibe.Server.Auth;
using Vibe.Server.Auth.Identity;
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
    private readonly KnownRights _rights = new();
    private readonly CallerCache _callers;

    public CallerCacheTests()
    {
        var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        _codec = new TokenCodec(new SigningKeys([new SigningKey(key, KeyState.Active, default)]), new AuthOptions { Issuer = "http://vibe.localhost" }, _time);
        _revocations = new RevocationSet(_time);
        _callers = new CallerCache(_codec, _revocations, _rights, _time);
    }

    [Fact]
    public void A_user_counts_as_one_of_the_users()
    {
        var caller = Authenticate(Token(User, App));
        Assert.Equal((User, App), (caller.Did, caller.App));
        Assert.Equal([User, PrincipalName.Users], caller.Principals.AsEnumerable());
    }

    [Fact]
    public void An_app_acting_as_itself_is_no_user() => Assert.Equal([App], Authenticate(Token(App, App)).Principals.AsEnumerable());

    [Fact]
    public void The_same_token_gives_the_same_caller_without_verifying_again()
    {
        var token = Token(User, App);
        Assert.Same(Authenticate(token), Authenticate(token));
    }

    [Fact]
    public void A_remembered_token_still_expires()
    {
        var token = Token(User, App, seconds: 40);
        Authenticate(token);
        _time.Now = Start.AddSeconds(71);
        var error = Assert.Throws<RpcException>(() => Authenticate(token));
        Assert.Equal("TOKEN_EXPIRED", error.GetErrorInfo()!.Reason);
    }

    [Fact]
    public void Text_that_is_not_ASCII_never_hits_a_remembered_token()
    {
        var token = Token(User, App);
        Authenticate(token);
        Assert.Throws<RpcException>(() => Authenticate(token[..^1] + "é"));
    }

    [Theory]
    [InlineData("grant")]
    [InlineData("consent")]
    [InlineData("account")]
    [InlineData("app")]
    public void A_remembered_token_that_is_revoked_is_refused(string what)
    {
        var (token, other) = (Token(User, App), Token("did:web:vibe.localhost:users:2", "did:web:vibe.localhost:apps:3", grant: "other"));
        Authenticate(token);
        Authenticate(other);
        _revocations.Apply(Revoked(what switch
        {
            "grant" => Revocation.OfGrant("grant"),
            "consent" => Revocation.OfConsent(User, App),
            "account" => Revocation.OfAccount(User),
            _ => Revocation.OfApp(App),
        }));
        for (var i = 0; i < 2; i++)
        {
            var error = Assert.Throws<RpcException>(() => Authenticate(token));
            Assert.Equal((StatusCode.Unauthenticated, "TOKEN_REVOKED"), (error.StatusCode, error.GetErrorInfo()!.Reason));
        }

        Authenticate(other);
    }

    [Fact]
    public void A_token_that_was_never_seen_before_is_refused_when_revoked()
    {
        _revocations.Apply(Revoked(Revocation.OfGrant("grant")));
        Assert.Throws<RpcException>(() => Authenticate(Token(User, App)));
        Authenticate(Token(User, App, grant: "another"));
    }

    [Fact]
    public void After_a_change_of_principals_the_caller_is_made_anew_once()
    {
        var token = Token(User, App);
        var before = Authenticate(token);
        _revocations.Apply(Revoked(Revocation.OfPrincipals(User)));
        var after = Authenticate(token);
        Assert.NotSame(before, after);
        Assert.Null(_revocations.LossOf(after));
        Assert.Same(after, Authenticate(token));
    }

    private Revocation Revoked(Revocation revocation) => revocation with { RevokeTime = _time.Now, ExpireTime = _time.Now.AddMinutes(11) };

    [Fact]
    public void Certificates_are_among_the_principals_until_the_first_of_them_ends()
    {
        var token = Token(User, App);
        _rights.Value = new CallerRights(["cert:did:web:x#member"], Scopes.None, Start.AddSeconds(20));
        Assert.Equal([User, PrincipalName.Users, "cert:did:web:x#member"], Authenticate(token).Principals.AsEnumerable());
        _rights.Value = CallerRights.None;
        _time.Now = Start.AddSeconds(19);
        Assert.Equal(3, Authenticate(token).Principals.Length);
        _time.Now = Start.AddSeconds(20);
        Assert.Equal([User, PrincipalName.Users], Authenticate(token).Principals.AsEnumerable());
    }

    [Fact]
    public void What_a_caller_holds_is_looked_up_again_after_a_change_and_not_for_what_is_revoked()
    {
        var token = Token(User, App);
        Authenticate(token);
        Authenticate(token);
        Assert.Equal(1, _rights.Asked);
        _revocations.Apply(Revoked(Revocation.OfPrincipals(User)));
        Authenticate(token);
        Authenticate(token);
        Assert.Equal(2, _rights.Asked);
        _revocations.Apply(Revoked(Revocation.OfAccount(User)));
        Assert.Throws<RpcException>(() => Authenticate(token));
        Assert.Throws<RpcException>(() => Authenticate(Token(User, App)));
        Assert.Equal(2, _rights.Asked);
    }

    private Caller Authenticate(string token)
    {
        var caller = _callers.AuthenticateAsync(token, CancellationToken.None);
        Assert.True(caller.IsCompleted);
        return caller.AsTask().GetAwaiter().GetResult();
    }

    private string Token(string subject, string client, int seconds = 600, string grant = "grant") => _codec.Sign(new AccessToken
    {
        Subject = subject, Client = client, Scope = "documents:*:write", Grant = grant, ExpireTime = Start.AddSeconds(seconds),
    });

    private sealed class KnownRights : ICallerRights
    {
        public CallerRights Value { get; set; } = CallerRights.None;

        public int Asked { get; private set; }

        public ValueTask<CallerRights> FindAsync(string did, bool isApp, CancellationToken cancellationToken)
        {
            Asked++;
            return ValueTask.FromResult(Value);
        }
    }
}
