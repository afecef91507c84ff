using Vibe.Rpc.Calls;

namespace Vibe.Rpc.Tests.Server;

/// <summary>What requests hold while they arrive.</summary>
public sealed class RequestMemoryTests
{
    private const long Most = 1000;

    [Fact]
    public void Together_they_hold_no_more_than_allowed_and_what_one_gives_back_another_takes()
    {
        var memory = new RequestMemory(Most);
        Assert.True(memory.TryChange(0, RequestMemory.Free + 600));
        Assert.False(memory.TryChange(0, RequestMemory.Free + 401));
        Assert.True(memory.TryChange(0, RequestMemory.Free + 400));
        Assert.False(memory.TryChange(RequestMemory.Free + 400, RequestMemory.Free + 401));
        Assert.True(memory.TryChange(RequestMemory.Free + 600, 0));
        Assert.True(memory.TryChange(RequestMemory.Free + 400, RequestMemory.Free + Most));
    }

    [Fact]
    public void Small_requests_get_in_whatever_large_ones_hold()
    {
        var memory = new RequestMemory(Most);
        Assert.True(memory.TryChange(0, RequestMemory.Free + Most));
        Assert.True(memory.TryChange(0, RequestMemory.Free));
        Assert.False(memory.TryChange(0, RequestMemory.Free + 1));
    }
}
