using System.Globalization;
using Vibe.Documents.V1;
using Vibe.Postgres.Tests;
using Vibe.Realtime.V1;
using Vibe.Server.Auth.Revocations;
using Vibe.Server.Kernel;
using Vibe.Server.Realtime;
using Vibe.Server.Tests.Documents;

namespace Vibe.Server.Tests.Realtime;

/// <summary>
/// Random writers against subscribers of many kinds, with feeds that break, certificates and consents that come and go, and clients
/// that leave and come back: at each pause what a client has is what a fresh query under its own rights returns.
/// </summary>
[Collection(PostgresCollection.Name)]
public class ModelTests(RealtimeHost host) : IClassFixture<RealtimeHost>
{
    private const string Certificate = "cert:did:web:gov.test#Resident";
    private const int Pauses = 6;

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public async Task Every_client_ends_up_with_what_its_query_returns(int seed)
    {
        var (collection, elsewhere) = (host.Documents.Collection(), host.Documents.Collection());
        Someone[] people =
        [
            host.Documents.User(), host.Documents.User(), host.Documents.User("documents:*:write", Certificate), host.Documents.AppItself(),
            host.Documents.AppItself($"documents:{collection}:write"),
            host.Documents.User("documents:elsewhere:write"),
        ];
        Target[] targets =
        [
            new() { Collection = collection, Initial = true, Scope = DocumentScope.All },
            new() { Collection = collection, Initial = true, Scope = DocumentScope.Own, Filter = "data.n < 5" },
            new() { Collection = collection, Initial = true, Scope = DocumentScope.Shared },
            new() { Collection = collection, Initial = true, Scope = DocumentScope.Public, Filter = """data.state = "open" """ },
            new() { Collection = collection, Limit = 5, Scope = DocumentScope.All, OrderBy = "data.n, id" },
        ];
        await using var second = await host.StartNodeAsync(new RealtimeOptions { MaxQueuedBytes = 30_000, RingBytes = 50_000 });
        Node[] nodes = [host.Node, second];
        var clients = people.Append(host.Documents.Visitor())
            .SelectMany(person => targets.Select(target => new Client(person, target))).ToList();
        for (var i = 0; i < clients.Count; i++)
        {
            clients[i].Connect(nodes[i % 2]);
        }

        var random = new Random(seed);
        var clock = TimeProvider.System.GetUtcNow();
        var ids = new List<(Someone Owner, string Id)>();
        for (var pause = 0; pause < Pauses; pause++)
        {
            for (var step = 0; step < 40; step++)
            {
                // Nobody follows the other collection; what happens there must not show.
                await WriteAsync(random, people, people, random.Next(4) == 0 ? elsewhere : collection, ids);
                if (random.Next(40) == 0)
                {
                    await host.BreakFeedsAsync();
                }

                if (random.Next(10) == 0)
                {
                    await clients[random.Next(clients.Count)].ReconnectAsync(nodes[random.Next(2)]);
                }

                if (random.Next(15) == 0)
                {
                    var (person, node) = (people[random.Next(people.Length)], nodes[random.Next(2)]);
                    clock += TimeSpan.FromSeconds(2);
                    await ChangeRightsAsync(random, clock, nodes, node, [.. clients.Where(client => client.Person.Caller.Did == person.Did)]);
                }
            }

            foreach (var client in clients)
            {
                await client.EqualsItsQueryAsync();
            }
        }

        foreach (var client in clients)
        {
            await client.LeaveAsync();
        }
    }

    // Someone gets or loses a certificate, or grants the app more or less. Their streams end, and they come back with other rights.
    private static async Task ChangeRightsAsync(Random random, DateTimeOffset now, Node[] nodes, Node node, IReadOnlyList<Client> clients)
    {
        var old = clients[0].Person;
        var changesConsent = random.Next(2) == 0;
        var revocation = changesConsent ? Revocation.OfConsent(old.Did, old.Caller.App!) : Revocation.OfPrincipals(old.Did);
        foreach (var server in nodes)
        {
            server.Access.Apply(revocation with { RevokeTime = now, ExpireTime = now.AddHours(1) });
        }

        var has = old.Caller.Principals.Contains(Certificate);
        var changed = changesConsent
            ? old.With(random.Next(2) == 0 ? "documents:*:write" : "documents:elsewhere:write")
            : old.Holding([.. old.Caller.Principals.Where(static principal => principal != Certificate), .. has ? [] : (string[])[Certificate]]);
        foreach (var client in clients)
        {
            await client.ComeBackAsync(node, changed.With(issued: now.AddSeconds(1)));
        }
    }

    private static async Task WriteAsync(
        Random random, Someone[] owners, Someone[] readers, string collection, List<(Someone Owner, string Id)> ids)
    {
        var body = string.Create(CultureInfo.InvariantCulture, $$"""{"n":{{random.Next(10)}},"state":"{{(random.Next(2) == 0 ? "open" : "held")}}","text":"{{new string('x', random.Next(400))}}"}""");
        switch (ids.Count == 0 ? 0 : random.Next(9))
        {
            case 0 or 1 or 2:
                var owner = owners[random.Next(owners.Length - 1)];
                ids.Add((owner, (await owner.CreateAsync(collection, body, Rules(random, readers))).Id));
                break;
            case 3 or 4:
                var (writer, id) = ids[random.Next(ids.Count)];
                await writer.UpdateAsync(id, body);
                break;
            case 5 or 6:
                var (sharer, shared) = ids[random.Next(ids.Count)];
                await sharer.UpdateAsync(shared, acl: Rules(random, readers), mask: ["acl"]);
                break;
            case 7:
                var author = owners[0];
                var documents = await author.BatchAsync(Enumerable.Range(0, 5).Select(
                    _ => new Write { Create = new Document { Collection = collection, Data = Someone.Body(body), Acl = Rules(random, readers) } }));
                ids.AddRange(documents.Select(document => (author, document.Id)));
                break;
            default:
                var index = random.Next(ids.Count);
                await ids[index].Owner.DeleteAsync(ids[index].Id);
                ids.RemoveAt(index);
                break;
        }
    }

    private static AccessControl Rules(Random random, Someone[] readers)
    {
        string[] principals = ["*", "users", Certificate, .. readers.Select(static reader => reader.Did)];
        var allow = principals.Where(_ => random.Next(4) == 0).ToArray();
        var deny = readers.Select(static reader => reader.Did).Where(_ => random.Next(8) == 0).ToArray();
        return Someone.Acl(allow, deny: deny);
    }

    private sealed class Client(Someone person, Target target)
    {
        private Follower? _follower;

        /// <summary>Who it is, with the rights they have now.</summary>
        public Someone Person { get; private set; } = person;

        public void Connect(Node node)
        {
            var request = target.Clone();
            if (_follower is { Cursor.Length: > 0 } && target.Limit == 0)
            {
                request.Cursor = _follower.Cursor;
            }

            // A window, or a target that was never ready, starts over; so does what the client has.
            var keeps = request.Cursor.Length > 0;
            _follower = node.Follow(CallerAt(node), keeps ? _follower : null, request);
        }

        public async Task ReconnectAsync(Node node)
        {
            await _follower!.DisposeAsync();
            Connect(node);
        }

        public async Task ComeBackAsync(Node node, Someone changed)
        {
            await _follower!.EndedAsync();
            Assert.NotNull(_follower.Frames[^1].AccessLost);
            await _follower.DisposeAsync();
            var rights = Rights(Person);
            Person = changed;
            if (Rights(changed) != rights && _follower.Cursor.Length > 0 && target.Limit == 0)
            {
                await using var refused = node.Follow(CallerAt(node), target.With(_follower.Cursor));
                Assert.Equal("CURSOR_EXPIRED", (await refused.FrameAsync(static frame => frame.TargetError is not null)).TargetError.Reason);
                _follower = null;
            }

            Connect(node);
        }

        public Task LeaveAsync() => _follower!.DisposeAsync().AsTask();

        public async Task EqualsItsQueryAsync() => await _follower!.HoldsAsync(await ModelCheck.QueryAsync(Person, target));

        // Principals are found out at each call.
        private Caller CallerAt(Node node) => Person.Caller with { AccessVersion = node.Access.Version };

        private static string Rights(Someone someone) => string.Join(' ', [.. someone.Caller.Principals.Order(StringComparer.Ordinal), "may", .. someone.Caller.Scopes.Read]);
    }
}

/// <summary>The same when the tables are polled.</summary>
public sealed class PollingModelTests(PollingHost host) : ModelTests(host), IClassFixture<PollingHost>;
