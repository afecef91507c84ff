using System.Text.Json;
using System.Text.Json.Serialization;
using Vibe.Documents.V1;

namespace Vibe.Client.Documents;

/// <summary>What apps write, as messages of the contract.</summary>
internal sealed class Writes(JsonSerializerOptions json)
{
    // In a change null means to remove a key, which must not be left out.
    private readonly JsonSerializerOptions _patch = json.DefaultIgnoreCondition == JsonIgnoreCondition.Never
        ? json
        : new(json) { DefaultIgnoreCondition = JsonIgnoreCondition.Never };

    public JsonSerializerOptions Json => json;

    /// <summary>A new document, or one with a key.</summary>
    public Document ToDocument(string collection, object data, WriteOptions options)
    {
        ArgumentNullException.ThrowIfNull(data);
        if (options is { Key: not null, Id: not null })
        {
            throw VibeException.InvalidArgument("id", "a document with a key derives its id from it");
        }

        if (options is { Key: null, Etag: not null })
        {
            throw VibeException.InvalidArgument("etag", "a new document has none");
        }

        return With(options, new Document
        {
            Id = options.Key is null ? options.Id ?? Guid.CreateVersion7().ToString() : "",
            Collection = collection,
            Key = options.Key ?? "",
            Data = JsonBody.ToStruct(data, json),
        });
    }

    /// <summary>A change of a document: merged into its data.</summary>
    public Document ToChange(string id, object patch, WriteOptions options)
    {
        ArgumentException.ThrowIfNullOrEmpty(id);
        ArgumentNullException.ThrowIfNull(patch);
        if (options.Key is not null || options.Id is not null)
        {
            throw VibeException.InvalidArgument("options", "a change names its document by its first argument only");
        }

        return With(options, new Document { Id = id, Data = JsonBody.ToStruct(patch, _patch) });
    }

    private static Document With(WriteOptions options, Document document)
    {
        document.Acl = options.Acl;
        document.Edges.AddRange(options.Edges ?? []);
        return document;
    }
}
