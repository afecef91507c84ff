using Google.Protobuf.Reflection;

namespace Vibe.Rpc.Json;

/// <summary>Collects what the files of a schema declare, by full name.</summary>
internal sealed class SymbolIndex
{
    public Dictionary<string, IDescriptor> Symbols { get; } = [];

    public Dictionary<string, List<FieldDescriptor>> Extensions { get; } = [];

    public void Add(FileDescriptor file)
    {
        foreach (var message in file.MessageTypes)
        {
            Add(message);
        }

        foreach (var type in file.EnumTypes)
        {
            Add(type);
        }

        AddExtensions(file.Extensions);
        foreach (var service in file.Services)
        {
            Symbols[service.FullName] = service;
            foreach (var method in service.Methods)
            {
                Symbols[method.FullName] = method;
            }
        }
    }

    private void Add(MessageDescriptor message)
    {
        Symbols[message.FullName] = message;
        foreach (var field in message.Fields.InDeclarationOrder())
        {
            Symbols[field.FullName] = field;
        }

        foreach (var oneof in message.Oneofs)
        {
            Symbols[oneof.FullName] = oneof;
        }

        foreach (var type in message.EnumTypes)
        {
            Add(type);
        }

        AddExtensions(message.Extensions);
        foreach (var nested in message.NestedTypes)
        {
            Add(nested);
        }
    }

    private void Add(EnumDescriptor type)
    {
        Symbols[type.FullName] = type;
        var scope = type.FullName[..(type.FullName.Length - type.Name.Length)];
        foreach (var value in type.Values)
        {
            Symbols[value.FullName] = value;

            // Enum values are siblings of their type, as in C++: reflection clients ask for `package.VALUE`.
            Symbols.TryAdd(scope + value.Name, value);
        }
    }

    private void AddExtensions(ExtensionCollection extensions)
    {
        foreach (var field in extensions.UnorderedExtensions)
        {
            Symbols[field.FullName] = field;
            if (!Extensions.TryGetValue(field.ExtendeeType.FullName, out var known))
            {
                Extensions[field.ExtendeeType.FullName] = known = [];
            }

            known.Add(field);
        }
    }
}
