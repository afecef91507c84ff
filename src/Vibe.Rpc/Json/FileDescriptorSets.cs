using Buf.Validate;
using Google.Api;
using Google.Protobuf;
using Google.Protobuf.Reflection;

namespace Vibe.Rpc.Json;

/// <summary>Turns serialized descriptor sets into linked descriptors.</summary>
internal static class FileDescriptorSets
{
    public static IReadOnlyList<FileDescriptor> Build(ReadOnlyMemory<byte> serializedSet, IEnumerable<Extension> extensions)
    {
        var registry = new ExtensionRegistry();
        registry.AddRange([AnnotationsExtensions.Http, ValidateExtensions.Field, .. extensions]);
        try
        {
            var set = FileDescriptorSet.Parser.WithExtensionRegistry(registry).ParseFrom(serializedSet.Span);
            var ordered = InDependencyOrder(set.File);
            return [.. FileDescriptor.BuildFromByteStrings(ordered.Select(file => file.ToByteString()), registry)];
        }
        catch (Exception e) when (e is InvalidProtocolBufferException or DescriptorValidationException or ArgumentException)
        {
            throw new InvalidDataException("The descriptor set cannot be linked: " + e.Message, e);
        }
    }

    public static IReadOnlyList<FileDescriptor> WithImports(IEnumerable<FileDescriptor> files)
    {
        var result = new List<FileDescriptor>();
        var seen = new HashSet<string>();
        foreach (var file in files)
        {
            Visit(file);
        }

        return result;

        void Visit(FileDescriptor file)
        {
            if (!seen.Add(file.Name))
            {
                return;
            }

            foreach (var dependency in file.Dependencies)
            {
                Visit(dependency);
            }

            result.Add(file);
        }
    }

    public static ByteString WithoutComments(ByteString serializedFile)
    {
        // Custom options travel as unknown fields here, so they survive whatever the registry knows.
        var file = FileDescriptorProto.Parser.ParseFrom(serializedFile);
        if (file.SourceCodeInfo is null)
        {
            return serializedFile;
        }

        file.SourceCodeInfo = null;
        return file.ToByteString();
    }

    private static List<FileDescriptorProto> InDependencyOrder(IEnumerable<FileDescriptorProto> files)
    {
        var byName = new Dictionary<string, FileDescriptorProto>();
        foreach (var file in files)
        {
            if (!byName.TryAdd(file.Name, file))
            {
                throw new ArgumentException($"{file.Name} comes twice.", nameof(files));
            }
        }

        var ordered = new List<FileDescriptorProto>(byName.Count);
        var state = new Dictionary<string, bool>();
        foreach (var file in byName.Keys)
        {
            Visit(file, file);
        }

        return ordered;

        void Visit(string file, string importer)
        {
            if (state.TryGetValue(file, out var done))
            {
                if (!done)
                {
                    throw new ArgumentException($"{importer} and {file} import each other.", nameof(files));
                }

                return;
            }

            if (!byName.TryGetValue(file, out var value))
            {
                throw new ArgumentException($"{importer} imports {file}, which is missing.", nameof(files));
            }

            state[file] = false;
            foreach (var import in value.Dependency)
            {
                Visit(import, file);
            }

            state[file] = true;
            ordered.Add(value);
        }
    }
}
