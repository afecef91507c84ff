using Google.Protobuf;
using Google.Protobuf.Reflection;

namespace Vibe.Rpc.Rest;

/// <summary>The way from a request message to one of its fields, as a path variable or a query parameter names it.</summary>
/// <param name="Text">As written: names joined by dots.</param>
/// <param name="Fields">At least one; all but the last are singular messages.</param>
internal sealed record FieldPath(string Text, IReadOnlyList<FieldDescriptor> Fields)
{
    /// <summary>The field that holds the value.</summary>
    public FieldDescriptor Leaf => Fields[^1];

    /// <summary>The message that the leaf is a field of; messages on the way are made where they are missing.</summary>
    public IMessage Parent(IMessage root)
    {
        var message = root;
        for (var i = 0; i < Fields.Count - 1; i++)
        {
            var accessor = Fields[i].Accessor;
            if (accessor.GetValue(message) is not IMessage child)
            {
                child = Fields[i].MessageType.Parser.ParseFrom(ByteString.Empty);
                accessor.SetValue(message, child);
            }

            message = child;
        }

        return message;
    }

    /// <summary>Whether this path leads to the field or to something in it.</summary>
    public bool StartsWith(FieldDescriptor field) => Fields[0].FieldNumber == field.FieldNumber;

    /// <summary>Whether one of the two paths leads to the other's field or into it.</summary>
    public bool Overlaps(FieldPath other)
    {
        var common = Math.Min(Fields.Count, other.Fields.Count);
        for (var i = 0; i < common; i++)
        {
            if (Fields[i].FieldNumber != other.Fields[i].FieldNumber)
            {
                return false;
            }
        }

        return true;
    }
}
