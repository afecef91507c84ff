using Vibe.Documents.V1;

namespace Vibe.Server.Kernel;

/// <summary>The documents of a person as a whole: what goes with them when they leave.</summary>
internal interface IOwnedDocuments
{
    /// <summary>Every document that the person owns, collection by collection.</summary>
    IAsyncEnumerable<Document> ReadAllAsync(string did, CancellationToken cancellationToken);

    /// <summary>Makes tombstones of them all. May be done again.</summary>
    Task DeleteAllAsync(string did, CancellationToken cancellationToken);
}
