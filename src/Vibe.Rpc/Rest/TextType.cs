using Google.Protobuf.Reflection;

namespace Vibe.Rpc.Rest;

/// <summary>Which field types have one text form, so that a path or a query string can hold them.</summary>
internal static class TextType
{
    /// <summary>Whether the type of the field (of an element, when it is repeated) has a text form.</summary>
    public static bool IsText(FieldDescriptor field) => field.FieldType switch
    {
        FieldType.Message => IsWrapper(field.MessageType) || IsJsonString(field.MessageType),
        FieldType.Group => false,
        _ => true,
    };

    /// <summary>Whether the message is a <c>google.protobuf.*Value</c> wrapper of a scalar.</summary>
    public static bool IsWrapper(MessageDescriptor message) => message.File.Name == "google/protobuf/wrappers.proto";

    /// <summary>Whether the message is a string in JSON.</summary>
    public static bool IsJsonString(MessageDescriptor message) =>
        message.FullName is "google.protobuf.Timestamp" or "google.protobuf.Duration" or "google.protobuf.FieldMask";
}
