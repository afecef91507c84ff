using Grpc.Core;
using Vibe.Server.Kernel;
using Vibe.Server.Realtime;
using Vibe.Server.Realtime.Subscriptions;

namespace Vibe.Server.Tests.Realtime;

/// <summary>What one caller's live queries take of a node.</summary>
public sealed class StreamAllowanceTests
{
    private static readonly Caller Alice = new() { Did = "did:web:x:users:a" };
    private static readonly Caller Bob = new() { Did = "did:web:x:users:b" };
    private readonly StreamAllowances _all = new(new RealtimeOptions { MaxStreams = 2, MaxTargetBytes = 100 });

    [Fact]
    public void A_caller_has_so_many_streams_and_an_ended_one_makes_room()
    {
        var first = _all.Open(Alice, "1.1.1.1");
        using var second = _all.Open(Alice, "2.2.2.2");
        Refused(() => _all.Open(Alice, "3.3.3.3"));
        using var another = _all.Open(Bob, "1.1.1.1");
        first.Dispose();
        using var third = _all.Open(Alice, "1.1.1.1");
        Refused(() => _all.Open(Alice, "1.1.1.1"));
    }

    [Fact]
    public void Visitors_count_by_their_network()
    {
        using var first = _all.Open(Caller.SignedOut, "1.1.1.1");
        using var second = _all.Open(Caller.SignedOut, "1.1.1.1");
        Refused(() => _all.Open(Caller.SignedOut, "1.1.1.1"));
        using var elsewhere = _all.Open(Caller.SignedOut, "2.2.2.2");
    }

    [Fact]
    public void Targets_of_all_streams_say_so_much_and_what_is_refused_changes_nothing()
    {
        using var first = _all.Open(Alice, "");
        var second = _all.Open(Alice, "");
        first.Set(60);
        Refused(() => second.Set(41));
        second.Set(40);
        Refused(() => first.Set(61));
        first.Set(10);
        second.Set(90);
        second.Dispose();
        first.Set(100);
    }

    private static void Refused(Action act) => Assert.Equal(StatusCode.ResourceExhausted, Assert.Throws<RpcException>(act).StatusCode);
}
