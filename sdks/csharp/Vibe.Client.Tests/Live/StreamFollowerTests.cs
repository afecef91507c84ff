using Grpc.Core;
using Vibe.Client.Live;
using Vibe.Client.Tests.Support;

namespace Vibe.Client.Tests.Live;

/// <summary>How streams end, one after the other; each is a list of frames, and then silence or a failure.</summary>
public sealed class StreamFollowerTests
{
    private const string Lost = "lost:";
    private const string ComeBack = "come back";

    private readonly List<string?> _refused = [];

    [Fact]
    public async Task A_silent_stream_is_left_for_another()
    {
        using var vibe = Client(options => options.Silence = TimeSpan.FromMilliseconds(100));
        var silent = new Script(["a"], EndsInSilence: true);
        await using var frames = Follow(vibe, silent, new Script(["b"])).GetAsyncEnumerator();
        Assert.Equal("a", await frames.NextAsync());
        Assert.Equal("b", await frames.NextAsync());
        Assert.True(silent.IsAbandoned);
    }

    [Fact]
    public async Task A_stream_that_ends_is_opened_again()
    {
        using var vibe = Client();
        await using var frames = Follow(
            vibe, new Script(["a"]), new Script([], Fails: new(StatusCode.Unavailable, "DATABASE_UNAVAILABLE", "")), new Script([ComeBack, "never"]),
            new Script(["b"])).GetAsyncEnumerator();
        Assert.Equal("a", await frames.NextAsync());
        Assert.Equal("b", await frames.NextAsync());
    }

    [Theory]
    [InlineData("TOKEN_REVOKED")]
    [InlineData("CHANNEL_NOT_FOUND")]
    public async Task Access_that_is_lost_ends_it(string reason)
    {
        using var vibe = Client();
        await using var frames = Follow(vibe, new Script(["a", Lost + reason]), new Script(["never"])).GetAsyncEnumerator();
        Assert.Equal("a", await frames.NextAsync());
        Assert.Equal(reason, (await Assert.ThrowsAsync<VibeException>(() => frames.NextAsync())).Reason);
    }

    [Fact]
    public async Task Rights_that_changed_bring_it_back_with_the_same_token()
    {
        using var vibe = Client();
        await using var frames = Follow(vibe, new Script([Lost + "ACCESS_CHANGED"]), new Script(["b"])).GetAsyncEnumerator();
        Assert.Equal("b", await frames.NextAsync());
        Assert.DoesNotContain("token", _refused);
    }

    [Fact]
    public async Task An_expired_token_is_replaced_before_it_comes_back_but_not_for_ever()
    {
        using var vibe = Client();
        await using var frames = Follow(
            vibe, new Script(["a", Lost + "TOKEN_EXPIRED"]), new Script(["b", Lost + "TOKEN_EXPIRED"]), new Script([Lost + "TOKEN_EXPIRED"])).GetAsyncEnumerator();
        Assert.Equal("a", await frames.NextAsync());
        Assert.DoesNotContain("token", _refused);
        Assert.Equal("b", await frames.NextAsync());
        Assert.Single(_refused, "token");
        Assert.Equal("TOKEN_EXPIRED", (await Assert.ThrowsAsync<VibeException>(() => frames.NextAsync())).Reason);
    }

    [Fact]
    public async Task What_the_caller_has_dealt_with_opens_it_again_and_other_failures_end_it()
    {
        using var vibe = Client();
        var expired = new VibeException(StatusCode.OutOfRange, "CURSOR_EXPIRED", "");
        var denied = new VibeException(StatusCode.PermissionDenied, "SCOPE_REQUIRED", "");
        await using var frames = Follow(vibe, new Script([], Fails: expired), new Script(["a"], Fails: denied)).GetAsyncEnumerator();
        Assert.Equal("a", await frames.NextAsync());
        Assert.Equal("SCOPE_REQUIRED", (await Assert.ThrowsAsync<VibeException>(() => frames.NextAsync())).Reason);
    }

    private VibeClient Client(Action<VibeOptions>? configure = null)
    {
        // Nobody listens there: the streams are scripts.
        var options = new VibeOptions
        {
            Url = "http://127.0.0.1:1",
            LongestPause = TimeSpan.FromMilliseconds(1),
            Credentials = VibeCredentials.FromProvider((request, _) =>
            {
                _refused.Add(request.Refused);
                return ValueTask.FromResult<string?>("token");
            }),
        };
        configure?.Invoke(options);
        return new VibeClient(options);
    }

    private static IAsyncEnumerable<string> Follow(VibeClient vibe, params Script[] scripts)
    {
        var next = 0;
        var follower = new StreamFollower<string>(vibe.Connection, vibe.Invoker, static frame =>
            frame.StartsWith(Lost, StringComparison.Ordinal) ? new(frame[Lost.Length..], null) : new(null, frame == ComeBack ? TimeSpan.Zero : null));
        return follower.ReadAsync(
            options => new(scripts[next++].Open(), Task.FromResult(new Metadata()), static () => default, static () => [], static () => { }),
            static failure => failure.Reason == "CURSOR_EXPIRED", CancellationToken.None);
    }

    private sealed record Script(string[] Frames, VibeException? Fails = null, bool EndsInSilence = false)
    {
        public bool IsAbandoned { get; private set; }

        public IAsyncStreamReader<string> Open() => new Reader(this);

        private sealed class Reader(Script script) : IAsyncStreamReader<string>
        {
            private int _next = -1;

            public string Current => script.Frames[_next];

            public async Task<bool> MoveNext(CancellationToken cancellationToken)
            {
                if (++_next < script.Frames.Length)
                {
                    return true;
                }

                if (script.EndsInSilence)
                {
                    try
                    {
                        await Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, cancellationToken);
                    }
                    finally
                    {
                        script.IsAbandoned = true;
                    }
                }

                return script.Fails is null ? false : throw script.Fails;
            }
        }
    }
}
