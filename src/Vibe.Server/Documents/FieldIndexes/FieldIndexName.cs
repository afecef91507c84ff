using System.Collections.Immutable;
using System.Text;
using Vibe.Documents.V1;
using Vibe.Server.Documents.Queries;
using Vibe.Server.Kernel;

namespace Vibe.Server.Documents.FieldIndexes;

/// <summary>What identifies a field index.</summary>
/// <param name="Collection">The collection.</param>
/// <param name="Path">The canonical path, as the query compiler writes it.</param>
/// <param name="Kind">1 value, 2 text.</param>
/// <param name="Keys">The keys after <c>data</c>.</param>
internal sealed record FieldIndexName(string Collection, string Path, int Kind, ImmutableArray<string> Keys)
{
    // With 500 characters of a string, the collection and a DID it must fit into a third of a page, PostgreSQL's limit.
    private const int MaxPathBytes = 128;

    /// <summary>Reads an index of a request.</summary>
    /// <exception cref="Grpc.Core.RpcException">INVALID_ARGUMENT.</exception>
    public static FieldIndexName Read(string collection, string path, FieldIndex.Types.Kind kind, string prefix)
    {
        DocumentId.CheckCollection(collection, $"{prefix}collection");
        if (!Enum.IsDefined(kind))
        {
            throw VibeError.InvalidField($"{prefix}kind", "is unknown", "field_index.kind");
        }

        var stored = kind == FieldIndex.Types.Kind.Text ? FieldIndexRow.Text : FieldIndexRow.Value;
        if (stored == FieldIndexRow.Text && path == "data")
        {
            return new FieldIndexName(collection, path, stored, []);
        }

        var field = QueryReader.Field(path, $"{prefix}path");
        if (field.CoreField != CoreField.None)
        {
            throw VibeError.InvalidField($"{prefix}path", "is not a path into `data`; the other fields need no index", "field_index.path");
        }

        return Encoding.UTF8.GetByteCount(field.Text) <= MaxPathBytes
            ? new FieldIndexName(collection, field.Text, stored, field.Keys)
            : throw VibeError.InvalidField($"{prefix}path", $"has at most {MaxPathBytes} bytes", "field_index.path");
    }

    /// <inheritdoc cref="Read(string, string, FieldIndex.Types.Kind, string)"/>
    public static FieldIndexName Read(FieldIndex? index) => index is null
        ? throw VibeError.InvalidField("fieldIndex", "is required", "field_index.required")
        : Read(index.Collection, index.Path, index.Kind, "fieldIndex.");
}
