using System.Buffers.Text;
using Grpc.Core;
using Vibe.Server.Kernel;

namespace Vibe.Server.Tests.Kernel;

public sealed class PageTokensTests
{
    private static readonly Caller Alice = new() { Did = "did:web:alice", App = "did:web:app", Principals = ["did:web:alice", "users"] };
    private static readonly byte[] Place = [1, 2, 3];

    private readonly Clock _clock = new();
    private readonly PageTokens _tokens;

    public PageTokensTests() => _tokens = new PageTokens(new byte[32], _clock);

    [Fact]
    public void A_token_brings_the_place_back()
    {
        var token = _tokens.Issue(Query(Alice), Place);

        Assert.Equal(Place, _tokens.Open(Query(Alice), token));
        Assert.Equal(Place, new PageTokens(new byte[32], _clock).Open(Query(Alice with { Principals = ["users", "did:web:alice"] }), token));
        Assert.True(Base64Url.IsValid(token));
    }

    [Fact]
    public void A_token_of_another_query_or_caller_is_rejected()
    {
        var token = _tokens.Issue(Query(Alice), Place);

        Assert.All(
            [
                Query(Alice with { Did = "did:web:bob" }),
                Query(Alice with { App = null }),
                Query(Alice with { Principals = ["did:web:alice"] }),
                Query(Caller.SignedOut),
                new PageQuery(Alice, "Query", "notes", "true"),
                new PageQuery(Alice, "List", "notes", "false"),
                new PageQuery(Alice, "List", "notestrue"),
                new PageQuery(Alice, "List", "notes", "true", ""),
            ],
            query => AssertInvalid(query, token));
    }

    [Fact]
    public void A_token_of_another_key_is_rejected() =>
        AssertInvalid(Query(Alice), new PageTokens([.. Enumerable.Repeat((byte)1, 32)], _clock).Issue(Query(Alice), Place));

    [Fact]
    public void A_token_expires_after_three_days()
    {
        var token = _tokens.Issue(Query(Alice), Place);

        _clock.Now += TimeSpan.FromDays(3) - TimeSpan.FromSeconds(1);
        Assert.Equal(Place, _tokens.Open(Query(Alice), token));
        _clock.Now += TimeSpan.FromSeconds(1);
        AssertInvalid(Query(Alice), token);
    }

    [Fact]
    public void Any_changed_character_is_noticed()
    {
        var token = _tokens.Issue(Query(Alice), Place);
        for (var i = 0; i < token.Length; i++)
        {
            AssertInvalid(Query(Alice), $"{token[..i]}{(token[i] == 'A' ? 'B' : 'A')}{token[(i + 1)..]}");
            AssertInvalid(Query(Alice), token[..i]);
        }

        Assert.All(["", "!", token + "A", token + "=", " " + token, "é"], changed => AssertInvalid(Query(Alice), changed));
    }

    private static PageQuery Query(Caller caller) => new(caller, "List", "notes", "true");

    private void AssertInvalid(PageQuery query, string token)
    {
        var exception = Assert.Throws<RpcException>(() => _tokens.Open(query, token));
        Assert.Equal(StatusCode.InvalidArgument, exception.StatusCode);
        Assert.Contains("PAGE_TOKEN_INVALID", System.Text.Encoding.UTF8.GetString(exception.Trailers.GetValueBytes("grpc-status-details-bin")!), StringComparison.Ordinal);
    }

    private sealed class Clock : TimeProvider
    {
        public DateTimeOffset Now { get; set; } = new(2026, 1, 1, 0, 0, 0, TimeSpan.Zero);

        public override DateTimeOffset GetUtcNow() => Now;
    }
}
