using System.Buffers;
using System.Text.Json;
using Vibe.Documents.V1;
using Vibe.Server.Kernel;

namespace Vibe.Server.Documents;

/// <summary>Edges between the contract and the stored JSON, <c>[{"label":…,"target":…},…]</c>.</summary>
internal static class DocumentEdges
{
    /// <summary>No edges.</summary>
    public static readonly ReadOnlyMemory<byte> None = "[]"u8.ToArray();

    private const int MaxEdges = 100;
    private const int MaxLabelLength = 64;

    /// <summary>Checks the edges and writes the stored form.</summary>
    /// <exception cref="Grpc.Core.RpcException">INVALID_ARGUMENT.</exception>
    public static ReadOnlyMemory<byte> ToJson(IList<Edge> edges, string field)
    {
        Check(edges, field);
        if (edges.Count == 0)
        {
            return None;
        }

        var buffer = new ArrayBufferWriter<byte>(edges.Count * 72);
        using (var writer = new Utf8JsonWriter(buffer))
        {
            writer.WriteStartArray();
            foreach (var edge in edges)
            {
                writer.WriteStartObject();
                writer.WriteString("label"u8, edge.Label);
                writer.WriteString("target"u8, edge.Target);
                writer.WriteEndObject();
            }

            writer.WriteEndArray();
        }

        return buffer.WrittenMemory;
    }

    /// <summary>Reads the stored form.</summary>
    public static List<Edge> FromJson(ReadOnlyMemory<byte> json)
    {
        if (json.Length <= None.Length)
        {
            return [];
        }

        using var document = JsonDocument.Parse(json);
        return [.. document.RootElement.EnumerateArray().Select(static edge => new Edge
        {
            Label = edge.GetProperty("label"u8).GetString()!,
            Target = edge.GetProperty("target"u8).GetString()!,
        })];
    }

    /// <summary>Whether the text is a label: <c>^[a-z][a-z0-9_]{0,63}$</c>.</summary>
    public static bool IsLabel(ReadOnlySpan<char> label) =>
        label.Length is > 0 and <= MaxLabelLength && char.IsAsciiLetterLower(label[0]) && !label.ContainsAnyExcept(LabelCharacters);

    private static readonly SearchValues<char> LabelCharacters = SearchValues.Create("abcdefghijklmnopqrstuvwxyz0123456789_");

    private static void Check(IList<Edge> edges, string field)
    {
        if (edges.Count > MaxEdges)
        {
            throw VibeError.InvalidField(field, $"holds at most {MaxEdges} edges", "document.edges");
        }

        var seen = new HashSet<(string, string)>();
        for (var i = 0; i < edges.Count; i++)
        {
            var edge = edges[i];
            if (!IsLabel(edge.Label))
            {
                throw VibeError.InvalidField($"{FieldNames.Item(field, i)}.label", "is not of the form ^[a-z][a-z0-9_]{0,63}$", "document.edges");
            }

            DocumentId.Parse(edge.Target, $"{FieldNames.Item(field, i)}.target");
            if (!seen.Add((edge.Label, edge.Target)))
            {
                throw VibeError.InvalidField(FieldNames.Item(field, i), "stands in the list twice", "document.edges");
            }
        }
    }
}
