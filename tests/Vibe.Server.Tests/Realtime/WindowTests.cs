using Vibe.Documents.V1;
using Vibe.Postgres.Tests;
using Vibe.Realtime.V1;
using Vibe.Server.Tests.Documents;

namespace Vibe.Server.Tests.Realtime;

/// <summary>Live queries with a limit hold what the query would return, at every moment.</summary>
[Collection(PostgresCollection.Name)]
public class WindowTests(RealtimeHost host) : IClassFixture<RealtimeHost>
{
    [Fact]
    public async Task The_newest_stay_the_newest()
    {
        var (alice, collection) = (host.Documents.User(), host.Documents.Collection());
        List<Document> all = [];
        for (var n = 0; n < 5; n++)
        {
            all.Add(await alice.CreateAsync(collection, $$"""{"n":{{n}}}"""));
        }

        await using var follower = host.Node.Follow(alice.Caller, new Target { Collection = collection, Limit = 3 });
        await follower.HoldsAsync(all[2..]);
        all.Add(await alice.CreateAsync(collection));
        await follower.HoldsAsync(all[3..]);
        await alice.DeleteAsync(all[^1].Id);
        await follower.HoldsAsync(all[2..5]);
    }

    [Fact]
    public async Task Random_changes_leave_the_window_equal_to_the_query()
    {
        var (alice, bob, collection) = (host.Documents.User(), host.Documents.User(), host.Documents.Collection());
        var target = new Target { Collection = collection, Scope = DocumentScope.All, Filter = "data.n < 80", OrderBy = "data.n desc, id", Limit = 7 };
        await using var follower = host.Node.Follow(bob.Caller, target);
        await follower.ReadyAsync();
        var random = new Random(7);
        List<string> ids = [];
        for (var step = 0; step < 300; step++)
        {
            var n = random.Next(100);
            switch (ids.Count == 0 ? 0 : random.Next(6))
            {
                case < 2:
                    ids.Add((await alice.CreateAsync(collection, $$"""{"n":{{n}}}""", Someone.Acl([bob.Did]))).Id);
                    break;
                case 2 or 3:
                    await alice.UpdateAsync(ids[random.Next(ids.Count)], $$"""{"n":{{n}}}""");
                    break;
                case 4:
                    await alice.UpdateAsync(ids[random.Next(ids.Count)], acl: Someone.Acl(random.Next(2) == 0 ? [] : [bob.Did]), mask: ["acl"]);
                    break;
                default:
                    var index = random.Next(ids.Count);
                    await alice.DeleteAsync(ids[index]);
                    ids.RemoveAt(index);
                    break;
            }

            if (step % 25 == 24)
            {
                var expected = await bob.ListAsync(collection, DocumentScope.All, target.Filter, target.OrderBy, target.Limit);
                await follower.HoldsAsync(expected.Documents);
            }
        }
    }
}

/// <summary>The same when the tables are polled.</summary>
public sealed class PollingWindowTests(PollingHost host) : WindowTests(host), IClassFixture<PollingHost>;
