using Google.Protobuf.Reflection;

namespace Vibe.Rpc.Rest;

/// <summary>Remembers which fields of one request were set, to refuse what is set twice.</summary>
internal sealed class BoundFields
{
    private readonly HashSet<string> _fields = [];
    private readonly Dictionary<string, FieldDescriptor> _choices = [];

    /// <summary>Notes that the field is set; returns what speaks against it, or null.</summary>
    public string? Add(FieldPath path)
    {
        var parent = "";
        foreach (var field in path.Fields)
        {
            if (field.RealContainingOneof is { } oneof && !_choices.TryAdd(parent + oneof.Name, field) && _choices[parent + oneof.Name] != field)
            {
                return $"cannot be set together with {_choices[parent + oneof.Name].JsonName}";
            }

            // A name holds no dot, so different paths have different texts.
            parent += field.Name + ".";
        }

        return _fields.Add(parent) || path.Leaf.IsRepeated ? null : "is given more than once";
    }
}
