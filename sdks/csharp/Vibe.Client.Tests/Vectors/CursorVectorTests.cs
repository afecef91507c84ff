using System.Text.Json.Nodes;
using Google.Protobuf;
using Grpc.Core;
using Vibe.Client.Calls;
using Vibe.Client.Documents;
using Vibe.Client.Filters;
using Vibe.Client.Live;
using Vibe.Client.Tests.Support;
using Vibe.Realtime.V1;

namespace Vibe.Client.Tests.Vectors;

public sealed class CursorVectorTests
{
    public static TheoryData<string, string> Cases() => Repository.Cases("cursors");

    [Theory]
    [MemberData(nameof(Cases))]
    public void A_live_query_holds_and_asks_what_the_vector_says(string file, string name)
    {
        var vector = Repository.Case("cursors", file, name);
        var limit = (int?)vector["query"]?["limit"] ?? 0;
        var spec = new QuerySpec("notes")
        {
            Limit = limit, Order = limit > 0 ? [new OrderKey(FieldPath.Body.Below("title"), Descending: false)] : [],
        };
        var fold = new LiveFold(spec, isWhole: true);
        var told = new Dictionary<string, long>();
        VibeException? failure = null;
        foreach (var stream in vector["streams"]!.AsArray())
        {
            Assert.Equal(Repository.Canonical(stream!["target"]), Asked(fold.Open()));
            foreach (var frame in stream["frames"]!.AsArray())
            {
                failure = Take(fold, JsonParser.Default.Parse<SubscribeResponse>(frame!.ToJsonString()), told);
            }
        }

        var expected = vector["expected"]!;
        Assert.Equal((string?)expected["error"]?["reason"], failure?.Reason);
        Assert.Equal((string?)expected["error"]?["code"], failure is null ? null : ReasonNames.Of(failure.StatusCode));
        if (failure is null)
        {
            Assert.Equal(Repository.Canonical(expected["target"]), Asked(fold.Open()));
        }

        var held = new JsonObject(fold.Documents.Select(static document => KeyValuePair.Create(document.Id, (JsonNode?)new JsonObject
        {
            ["revision"] = document.Revision, ["data"] = JsonNode.Parse(JsonBody.ToJson(document.Data).Span),
        })));
        Assert.Equal(Repository.Canonical(expected["documents"]), Repository.Canonical(held));

        // Whoever only looks at what changed ends up with the same.
        Assert.Equal(fold.Documents.ToDictionary(static document => document.Id, static document => document.Revision), told);
    }

    // As LiveResults and Subscription do: a cursor that is not good is forgotten, any other failure of the target ends the query.
    private static VibeException? Take(LiveFold fold, SubscribeResponse frame, Dictionary<string, long> told)
    {
        if (frame.TargetError is { } error)
        {
            if (error.Reason is "CURSOR_EXPIRED" or "CURSOR_INVALID")
            {
                fold.Restart();
                return null;
            }

            return VibeException.Of((StatusCode)error.Code, error.Reason, error.Message, error.Metadata);
        }

        foreach (var (kind, id, document) in fold.Take(frame))
        {
            Assert.Equal(kind == ChangeKind.Added, !told.ContainsKey(id));
            if (document is null)
            {
                told.Remove(id);
            }
            else
            {
                told[id] = document.Revision;
            }
        }

        return null;
    }

    private static string Asked(SubscribeRequest request)
    {
        var json = JsonNode.Parse(JsonFormatter.Default.Format(request))!.AsObject();
        Assert.Equal("notes", (string?)json["collection"]);
        json.Remove("collection");
        return Repository.Canonical(json);
    }
}
