using Grpc.Core;
using Vibe.Documents.V1;
using Vibe.Server.Documents.FieldIndexes;
using Vibe.Server.Kernel;

namespace Vibe.Server.Documents;

/// <summary>Field indexes that other features suggest. An operator approves them.</summary>
internal sealed class FieldIndexSuggestions(FieldIndexStore indexes)
{
    /// <summary>What is wrong with a path as an index on values; null when nothing is.</summary>
    public static string? ProblemOf(string path)
    {
        try
        {
            FieldIndexName.Read("any", path, FieldIndex.Types.Kind.Value, "");
            return null;
        }
        catch (RpcException)
        {
            return "is not a path into `data`, or up to four with commas between, of at most 128 bytes: data.author";
        }
    }

    /// <summary>Suggests an index on values, or counts once more. Nothing happens when the collection has too many.</summary>
    /// <param name="app">Who suggests it, a DID.</param>
    /// <param name="collection">The collection.</param>
    /// <param name="path">A path without a problem.</param>
    /// <param name="cancellationToken">Stops waiting.</param>
    public Task SuggestAsync(string app, string collection, string path, CancellationToken cancellationToken) => indexes.SuggestAsync(
        new Caller { Did = app, App = app, Principals = [app] }, FieldIndexName.Read(collection, path, FieldIndex.Types.Kind.Value, ""), cancellationToken);
}
