using Vibe.Rpc.Validation;

namespace Vibe.Rpc.Tests.Validation;

public sealed class RulePatternTests
{
    [Theory]
    [InlineData("^a$", "a", true)]
    [InlineData("^a$", "a\n", false)]
    [InlineData("^[$]$", "$", true)]
    [InlineData("^\\$\\.$", "$.", true)]
    [InlineData("^\\d$", "٣", false)]
    [InlineData("^[\\d-]+$", "1-2", true)]
    [InlineData("^\\w+$", "aé", false)]
    [InlineData("^[\\w.]+$", "a_1.b", true)]
    [InlineData("^\\S+$", "a b", false)]
    [InlineData("^\\s$", "\u00a0", false)]
    [InlineData("^[]a]+$", "]a", true)]
    [InlineData("^[^]a]$", "]", false)]
    [InlineData("^[^\\]]$", "]", false)]
    [InlineData("^\\p{Lu}$", "É", true)]
    [InlineData("^(?:ab|c){2}$", "abc", true)]
    [InlineData("b", "abc", true)]
    public void Shared_constructs_mean_what_RE2_means(string pattern, string text, bool matches) =>
        Assert.Equal(matches, RulePattern.Compile(pattern).IsMatch(text));

    [Theory]
    [InlineData("(?=a)")]
    [InlineData("(?<name>a)")]
    [InlineData("(?i)a")]
    [InlineData("(a)\\1")]
    [InlineData("[[:alpha:]]")]
    [InlineData("[a-z-[aeiou]]")]
    [InlineData("\\bword")]
    [InlineData("[\\D]")]
    [InlineData("\\Qa\\E")]
    public void What_the_dialects_do_not_share_is_refused(string pattern) =>
        Assert.Throws<FormatException>(() => RulePattern.Compile(pattern));

    [Theory]
    [InlineData("(")]
    [InlineData("[a")]
    [InlineData("a\\")]
    public void A_malformed_pattern_is_refused(string pattern) =>
        Assert.ThrowsAny<ArgumentException>(() => RulePattern.Compile(pattern));

    [Fact]
    public void Time_is_linear_in_the_input() =>
        Assert.DoesNotMatch(RulePattern.Compile("^(?:a+)+$"), new string('a', 100_000) + "b");
}
