using System.Security.Cryptography;
using Vibe.Postgres.Replication;
using Vibe.Server.Kernel;

namespace Vibe.Server.Tests.Kernel;

public sealed class ConsistencyTokensTests
{
    private static readonly FeedEpoch Epoch = new("7423.1.16384");
    private static readonly WritePoint Point = WritePoint.Of(Epoch, ulong.MaxValue - 7);

    private readonly ConsistencyTokens _tokens = new(RandomNumberGenerator.GetBytes(32));

    [Fact]
    public void A_token_says_which_write_it_stands_for()
    {
        Assert.True(_tokens.TryOpen(_tokens.Issue(Point), out var point));
        Assert.Equal(Point, point);
        Assert.True(point.Value.IsOf(Epoch));
        Assert.False(point.Value.IsOf(new FeedEpoch("7423.2.16384")));
    }

    [Fact]
    public void A_token_of_another_installation_is_refused() =>
        Assert.False(new ConsistencyTokens(RandomNumberGenerator.GetBytes(32)).TryOpen(_tokens.Issue(Point), out _));

    [Fact]
    public void Any_changed_character_is_refused()
    {
        var token = _tokens.Issue(Point);
        for (var index = 0; index < token.Length; index++)
        {
            Assert.False(_tokens.TryOpen(token[..index] + (token[index] == 'A' ? 'B' : 'A') + token[(index + 1)..], out _));
        }
    }

    [Theory]
    [InlineData("")]
    [InlineData("nonsense")]
    [InlineData("!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!")]
    [InlineData("äääääääääääääääääääääääääääääääääääääääääääää")]
    public void Text_that_is_no_token_is_refused(string text) => Assert.False(_tokens.TryOpen(text, out _));

    [Fact]
    public void A_token_has_one_spelling()
    {
        var token = _tokens.Issue(Point);
        foreach (var other in (string[])[token + "=", token + "A", token[..^1], $" {token[1..]}", token.Insert(9, "\n")])
        {
            Assert.False(_tokens.TryOpen(other, out _));
        }
    }
}
