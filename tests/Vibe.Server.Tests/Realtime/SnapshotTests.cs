using Vibe.Postgres.Replication;
using Vibe.Server.Realtime.Feed;
using Vibe.Server.Realtime.Hub;

namespace Vibe.Server.Tests.Realtime;

/// <summary>What a snapshot sees, and what the ring keeps for those who saw less.</summary>
public sealed class SnapshotTests
{
    [Theory]
    [InlineData("10:10:", 9, true)]
    [InlineData("10:10:", 10, false)]
    [InlineData("10:20:10,15", 10, false)]
    [InlineData("10:20:10,15", 14, true)]
    [InlineData("10:20:10,15", 20, false)]
    public void A_snapshot_sees_what_had_finished(string text, ulong transaction, bool sees) =>
        Assert.Equal(sees, Snapshot.Parse(text).Sees(transaction));

    [Theory]
    [InlineData("")]
    [InlineData("1:2")]
    [InlineData("3:2:")]
    [InlineData("1:5:7")]
    [InlineData("1:9:4,3")]
    [InlineData("a:b:")]
    [InlineData("-1:2:")]
    public void What_is_no_snapshot_is_refused(string text) => Assert.Throws<FormatException>(() => Snapshot.Parse(text));

    [Fact]
    public void Including_means_seeing_all_that_the_other_sees()
    {
        var random = new Random(5);
        for (var round = 0; round < 2000; round++)
        {
            var (one, two) = (Random(random), Random(random));
            var isIncluded = Enumerable.Range(0, 14).All(xid => !two.Sees((ulong)xid) || one.Sees((ulong)xid));

            // The answer may be a cautious no where the two end differently and nothing lies between.
            Assert.True(isIncluded || !one.Includes(two), $"{one} does not include {two}");
            if (one.Max >= two.Max)
            {
                Assert.Equal(isIncluded, one.Includes(two));
            }
        }
    }

    [Fact]
    public void The_ring_gives_back_all_that_a_snapshot_did_not_see_or_says_that_it_cannot()
    {
        var random = new Random(7);
        for (var round = 0; round < 200; round++)
        {
            var ring = new ChangeRing(capacity: -1);
            List<ulong> running = [], committed = [];
            List<Snapshot> heartbeats = [];
            ulong next = 1;
            for (var step = 0; step < 60; step++)
            {
                switch (random.Next(3))
                {
                    case 0:
                        running.Add(next++);
                        break;
                    case 1 when running.Count > 0:
                        var ended = running[random.Next(running.Count)];
                        running.Remove(ended);
                        committed.Add(ended);
                        ring.Add(new CommittedChanges(ended, []));
                        break;
                    default:
                        var min = running.Count == 0 ? next : running.Min();
                        heartbeats.Add(Snapshot.Parse($"{min}:{next}:{string.Join(',', running.Order())}"));
                        ring.Confirm(heartbeats[^1]);
                        break;
                }

                foreach (var since in heartbeats)
                {
                    if (ring.After(since) is { } kept)
                    {
                        Assert.Subset(kept.Select(static changes => changes.Transaction).ToHashSet(), committed.Where(xid => !since.Sees(xid)).ToHashSet());
                    }
                }

                if (heartbeats.Count > 0)
                {
                    Assert.NotNull(ring.After(heartbeats[^1]));
                }
            }
        }
    }

    private static Snapshot Random(Random random)
    {
        var min = random.Next(1, 8);
        var max = random.Next(min, 12);
        var running = Enumerable.Range(min, max - min).Where(_ => random.Next(3) == 0).ToList();
        return Snapshot.Parse($"{(running.Count > 0 ? running[0] : max)}:{max}:{string.Join(',', running)}");
    }
}
