using System.Security.Cryptography;
using Grpc.Core;
using Vibe.Rpc;
using Vibe.Server.Auth;
using Vibe.Server.Auth.Tokens;
using Vibe.Server.Kernel;

namespace Vibe.Server.Tests.Auth;

public sealed class CallerCacheTests
{
    private const string User = "did:web:vibe.localhost:users:1";
    private const string App = "did:web:vibe.localhost:apps:2";
    private static readonly DateTimeOffset Start = new(2026, 1, 1, 0, 0, 0, TimeSpan.Zero);
    private readonly MovingTime _time = new();
    private readonly TokenCodec _codec;
    private readonly CallerCache _callers;

    public CallerCacheTests()
    {
        var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        _codec = new TokenCodec(new SigningKeys([new SigningKey(key, KeyState.Active, default)]), new AuthOptions { Issuer = "http://vibe.localhost" }, _time);
        _callers = new CallerCache(_codec, _time);
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

    private string Token(string subject, string client, int seconds = 600) => _codec.Sign(
        new AccessToken { Subject = subject, Client = client, Scope = "documents:*:write", ExpireTime = Start.AddSeconds(seconds) });

    private sealed class MovingTime : TimeProvider
    {
        public DateTimeOffset Now { get; set; } = Start;

        public override DateTimeOffset GetUtcNow() => Now;
    }
}
