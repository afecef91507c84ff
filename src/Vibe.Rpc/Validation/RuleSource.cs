using Buf.Validate;
using Google.Protobuf.Reflection;

namespace Vibe.Rpc.Validation;

/// <summary>Where the rules of a message type come from.</summary>
internal static class RuleSource
{
    /// <summary>The rules of one field, or null.</summary>
    public static FieldRules? Of(FieldDescriptor field) =>
        field.GetOptions() is { } options && options.HasExtension(ValidateExtensions.Field) ? options.GetExtension(ValidateExtensions.Field) : null;

    /// <summary>The message type of the field's value, list items or map values, or null.</summary>
    public static MessageDescriptor? ContainedMessage(FieldDescriptor field)
    {
        var holder = field.IsMap ? field.MessageType.FindFieldByNumber(2) : field;
        return holder.FieldType is FieldType.Message or FieldType.Group ? holder.MessageType : null;
    }

    /// <summary>Whether a message of that type, or one it can contain at any depth, has rules.</summary>
    public static bool HasRules(MessageDescriptor descriptor)
    {
        HashSet<MessageDescriptor> seen = [descriptor];
        Queue<MessageDescriptor> open = new(seen);
        while (open.TryDequeue(out var message))
        {
            foreach (var field in message.Fields.InDeclarationOrder())
            {
                if (Of(field) is not null)
                {
                    return true;
                }

                if (ContainedMessage(field) is { } contained && seen.Add(contained))
                {
                    open.Enqueue(contained);
                }
            }
        }

        return false;
    }
}
