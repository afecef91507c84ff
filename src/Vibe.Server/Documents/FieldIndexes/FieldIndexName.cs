using System.Text;
using Vibe.Documents.V1;
using Vibe.Server.Documents.Queries;
using Vibe.Server.Kernel;

namespace Vibe.Server.Documents.FieldIndexes;

/// <summary>What identifies a field index.</summary>
/// <param name="Collection">The collection.</param>
/// <param name="Path">The canonical text of the fields, as the query compiler writes it.</param>
/// <param name="Kind">1 value, 2 text.</param>
/// <param name="Keys">The keys after <c>data</c> of the field, the last one of a composite index.</param>
/// <param name="GroupKeys">Those of the fields before the last, as <see cref="IndexedFields.EqualKeys"/>.</param>
internal sealed record FieldIndexName(
    string Collection, string Path, int Kind, IReadOnlyList<string> Keys, IReadOnlyList<string?> GroupKeys)
{
    // With 500 characters of a string, the group, the collection and a DID it must fit into a third of a page, PostgreSQL's limit.
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
            return new FieldIndexName(collection, path, stored, [], []);
        }

        var fields = QueryReader.Fields(path, $"{prefix}path");
        if (fields.Any(static field => field.CoreField != CoreField.None))
        {
            throw VibeError.InvalidField($"{prefix}path", "is not a path into `data`; the other fields need no index", "field_index.path");
        }

        if (fields.Length > (stored == FieldIndexRow.Text ? 1 : IndexedFields.MaxEqual + 1))
        {
            var problem = stored == FieldIndexRow.Text ? "names one field for a text index" : $"names at most {IndexedFields.MaxEqual + 1} fields";
            throw VibeError.InvalidField($"{prefix}path", problem, "field_index.path");
        }

        var index = new IndexedFields(fields);
        return Encoding.UTF8.GetByteCount(index.Text) <= MaxPathBytes
            ? new FieldIndexName(collection, index.Text, stored, index.Last.Keys, index.EqualKeys)
            : throw VibeError.InvalidField($"{prefix}path", $"has at most {MaxPathBytes} bytes", "field_index.path");
    }

    /// <inheritdoc cref="Read(string, string, FieldIndex.Types.Kind, string)"/>
    public static FieldIndexName Read(FieldIndex? index) => index is null
        ? throw VibeError.InvalidField("fieldIndex", "is required", "field_index.required")
        : Read(index.Collection, index.Path, index.Kind, "fieldIndex.");
}
