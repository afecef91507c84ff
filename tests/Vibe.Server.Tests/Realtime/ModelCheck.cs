using Vibe.Documents.V1;
using Vibe.Realtime.V1;
using Vibe.Server.Tests.Documents;

namespace Vibe.Server.Tests.Realtime;

/// <summary>What a client has is what a fresh query under its own rights returns: the check of every model run.</summary>
internal static class ModelCheck
{
    /// <summary>The fresh query.</summary>
    public static async Task<IReadOnlyList<Document>> QueryAsync(Someone person, Target target)
    {
        List<Document> documents = [];
        var token = "";
        do
        {
            var page = await person.ListAsync(
                target.Collection, target.Scope, target.Filter, target.OrderBy, target.Limit > 0 ? target.Limit : 1000, token);
            documents.AddRange(page.Documents);
            token = target.Limit > 0 ? "" : page.NextPageToken;
        }
        while (token.Length > 0);
        return documents;
    }

    /// <summary>
    /// Whether a client that was told everything has what the query returns. To know that it was told everything, one more document is
    /// written that it must hear of last.
    /// </summary>
    /// <param name="follower">The client.</param>
    /// <param name="person">Whose rights count now.</param>
    /// <param name="target">What it follows.</param>
    /// <param name="writer">Somebody who may write to the collection.</param>
    public static async Task<bool> HoldsAsync(Follower follower, Someone person, Target target, Someone writer)
    {
        var last = await writer.CreateAsync(target.Collection, """{"n":9}""", Someone.Acl(["*"]));
        await follower.UntilAsync(
            () => follower.Documents().Any(document => document.StartsWith(last.Id, StringComparison.Ordinal)), () => "the last document did not come");
        var expected = (await QueryAsync(person, target)).Select(static document => $"{document.Id} r{document.Revision}").Order(StringComparer.Ordinal);
        return follower.Documents().SequenceEqual(expected);
    }
}

internal static class TargetVariants
{
    /// <summary>The same target, going on from a cursor or beginning with the initial documents.</summary>
    public static Target With(this Target target, string cursor = "", bool initial = false) =>
        new(target) { Cursor = cursor, Initial = initial };
}
