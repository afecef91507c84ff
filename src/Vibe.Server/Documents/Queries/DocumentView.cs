using System.Text.Json;

namespace Vibe.Server.Documents.Queries;

/// <summary>
/// A document as the evaluator sees it. The body is parsed once, however many filters look at it; it must outlive the
/// view.
/// </summary>
internal readonly record struct DocumentView
{
    /// <summary>How to parse a body: as deep as bodies may be.</summary>
    public static readonly JsonDocumentOptions BodyOptions = new() { MaxDepth = 128 };

    /// <summary>The id.</summary>
    public required Guid Id { get; init; }

    /// <summary>The collection.</summary>
    public required string Collection { get; init; }

    /// <summary>The DID of the owner.</summary>
    public required string Owner { get; init; }

    /// <summary>The DID of the app; absent when null or empty.</summary>
    public string? App { get; init; }

    /// <summary>The key; absent when null or empty.</summary>
    public string? Key { get; init; }

    /// <summary>When the document was created, in microseconds since the Unix epoch.</summary>
    public required long CreateTime { get; init; }

    /// <summary>When the revision was written, in microseconds since the Unix epoch.</summary>
    public required long UpdateTime { get; init; }

    /// <summary>The revision.</summary>
    public required long Revision { get; init; }

    /// <summary>The body, an object; everything in it is absent when it is undefined.</summary>
    public required JsonElement Data { get; init; }

    /// <summary>The value at a path into the body. Arrays are not indexed.</summary>
    public bool TryGet(FieldPath path, out JsonElement value)
    {
        value = Data;
        foreach (var key in path.Utf8Keys)
        {
            if (value.ValueKind != JsonValueKind.Object || !value.TryGetProperty(key, out value))
            {
                return false;
            }
        }

        return true;
    }

    /// <summary>The value of a core field that is a string; null when it is absent or not a string.</summary>
    public string? TextOf(CoreField field) => field switch
    {
        CoreField.Id => Id.ToString(),
        CoreField.Collection => Collection,
        CoreField.Owner => Owner,
        CoreField.App => string.IsNullOrEmpty(App) ? null : App,
        CoreField.Key => string.IsNullOrEmpty(Key) ? null : Key,
        _ => null,
    };
}
