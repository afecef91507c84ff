using Vibe.Documents.V1;
using Vibe.Postgres.Replication;
using Vibe.Postgres.Tests;
using Vibe.Server.Kernel;
using Vibe.Server.Realtime.Feed;
using Vibe.Server.Tests.Documents;

namespace Vibe.Server.Tests.Realtime;

/// <summary>Who catches up is told of exactly the documents that left their sight, however often the rules changed in between.</summary>
[Collection(PostgresCollection.Name)]
public sealed class PastRulesTests(RealtimeHost host) : IClassFixture<RealtimeHost>
{
    private const int Documents = 60;
    private const int Steps = 6;

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public async Task What_left_the_sight_is_told_and_nothing_else(int seed)
    {
        var random = new Random(seed);
        var (owner, ann, ben, cem) = (host.Documents.User(), host.Documents.User(), host.Documents.User(), host.Documents.User());
        var collection = host.Documents.Collection();
        var app = host.Documents.AppItself($"documents:{collection}:read");
        Caller[] callers =
        [
            owner.Caller, ann.Caller, ben.Caller, cem.Caller, ann.With("profile").Caller, app.Caller,
            Caller.SignedOut,
        ];

        ReadRules Rules() => new(random.Next(3), Some([ann.Did, ben.Did]), Some([ann.Did, ben.Did, app.Did]));
        string[] Some(string[] names) => [.. names.Where(_ => random.Next(3) == 0)];

        // What was in force after each step, of each document.
        List<ReadRules[]> history = [[.. Enumerable.Range(0, Documents).Select(_ => Rules())]];
        List<Document> documents = [];
        foreach (var rules in history[0])
        {
            documents.Add(await owner.CreateAsync(collection, acl: AclOf(rules)));
        }

        List<Snapshot> cuts = [await host.Node.Feed.ReadSnapshotAsync(CancellationToken.None)];
        for (var step = 1; step < Steps; step++)
        {
            var next = history[^1].Select(before => random.Next(4) == 0 ? before : Rules()).ToArray();

            // What one transaction makes and takes back was never in force.
            await owner.BatchAsync(documents.Zip(next).SelectMany(pair => new[] { Update(pair.First, Rules()), Update(pair.First, pair.Second) }.Skip(random.Next(2))));
            history.Add(next);
            cuts.Add(await host.Node.Feed.ReadSnapshotAsync(CancellationToken.None));
        }

        foreach (var caller in callers)
        {
            for (var cut = 0; cut < Steps; cut++)
            {
                HashSet<Guid> told = [];
                await foreach (var missed in host.Node.Missed.ReadAsync(caller, collection, cuts[cut], cuts[^1], CancellationToken.None))
                {
                    Assert.True(missed.Row is not null || told.Add(missed.Id));
                }

                bool Sees(int step, int document) => history[step][document].Admit(caller, owner.Did, collection);
                var expected = Enumerable.Range(0, Documents)
                    .Where(n => !Sees(Steps - 1, n) && Enumerable.Range(cut, Steps - cut).Any(step => Sees(step, n)))
                    .Select(n => Guid.Parse(documents[n].Id)).ToHashSet();
                Assert.True(
                    told.SetEquals(expected),
                    $"{caller.Did} since {cut}: not told {string.Join(' ', expected.Except(told))}, told {string.Join(' ', told.Except(expected))}");
            }
        }
    }

    private static AccessControl AclOf(ReadRules rules) =>
        Someone.Acl([.. rules.Readers, .. rules.Audience switch { 2 => (string[])["*"], 1 => ["users"], _ => [] }], deny: rules.Denied);

    private static Write Update(Document document, ReadRules rules) =>
        new() { Update = new Write.Types.Update { Document = new Document { Id = document.Id, Acl = AclOf(rules) }, UpdateMask = { "acl" } } };
}
