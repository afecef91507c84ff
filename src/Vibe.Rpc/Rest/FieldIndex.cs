using System.Collections.Concurrent;
using System.Collections.Frozen;
using System.Diagnostics.CodeAnalysis;
using Google.Protobuf.Reflection;
using Vibe.Rpc.Json;

namespace Vibe.Rpc.Rest;

/// <summary>Finds the fields of messages by the names that URLs use: those of the .proto file and those of JSON.</summary>
/// <param name="schema">The public descriptors: a field that is a message there is no text, whatever the generated code holds. Null when
/// the two are the same.</param>
internal sealed class FieldIndex(ProtoSchema? schema)
{
    // A URL holds thousands of dots; a message nested as deep would overflow the stack of whoever walks it.
    private const int MaxDepth = 32;

    private readonly ConcurrentDictionary<MessageDescriptor, FrozenDictionary<string, FieldDescriptor>> _names = new();

    /// <summary>Finds a top-level field by either of its names.</summary>
    public FieldDescriptor? Find(MessageDescriptor message, string name) => Names(message).GetValueOrDefault(name);

    /// <summary>Follows names joined by dots to a field that text can set.</summary>
    /// <param name="message">Where the path starts.</param>
    /// <param name="path">The names.</param>
    /// <param name="found">The way to the field.</param>
    /// <param name="problem">Why there is none, fit for a client.</param>
    public bool TryResolve(
        MessageDescriptor message, string path, [NotNullWhen(true)] out FieldPath? found, [NotNullWhen(false)] out string? problem)
    {
        found = null;
        var names = path.Split('.', MaxDepth + 1);
        if (names.Length > MaxDepth)
        {
            problem = $"is nested deeper than {MaxDepth} levels";
            return false;
        }

        var fields = new FieldDescriptor[names.Length];
        for (var i = 0; i < names.Length; i++)
        {
            if (Find(message, names[i]) is not { } field)
            {
                problem = "is not a field of the request";
                return false;
            }

            fields[i] = field;
            if (i < names.Length - 1)
            {
                // The well-known types have a JSON form of their own, and the twin of a Struct has no message to go on with.
                if (Public(field) is not { IsMap: false, IsRepeated: false, FieldType: FieldType.Message } parent
                    || parent.MessageType.File.Package == "google.protobuf")
                {
                    problem = "leads through a field that is not a single message";
                    return false;
                }

                message = field.MessageType;
            }
        }

        if (Public(fields[^1]) is var leaf && (leaf.IsMap || !TextType.IsText(leaf)))
        {
            problem = "is a message or a map, which a URL cannot hold";
            return false;
        }

        found = new(path, fields);
        problem = null;
        return true;
    }

    /// <summary>The field as the contract shows it: the wire twin of a <c>google.protobuf.Struct</c> is a message there.</summary>
    public FieldDescriptor Public(FieldDescriptor field) =>
        schema?.FindMessage(field.ContainingType.FullName)?.FindFieldByNumber(field.FieldNumber) ?? field;

    private FrozenDictionary<string, FieldDescriptor> Names(MessageDescriptor message) => _names.GetOrAdd(message, static message =>
    {
        var names = message.Fields.InDeclarationOrder().ToDictionary(field => field.Name);
        foreach (var field in message.Fields.InDeclarationOrder())
        {
            names.TryAdd(field.JsonName, field);
        }

        return names.ToFrozenDictionary();
    });
}
