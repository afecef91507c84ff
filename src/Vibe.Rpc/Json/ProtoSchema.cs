using System.Collections.Frozen;
using Google.Protobuf;
using Google.Protobuf.Reflection;

namespace Vibe.Rpc.Json;

/// <summary>
/// The public descriptors of a server: what reflection serves, what the JSON mapping shows and what the OpenAPI document says.
/// </summary>
/// <remarks>
/// The generated C# may hold a wire twin of a message (a <c>google.protobuf.Struct</c> field as <c>bytes</c>); a schema built from the
/// public files tells the two apart. Immutable and thread-safe. Descriptors of a loaded schema have no CLR types: they describe, they
/// cannot make messages.
/// </remarks>
public sealed class ProtoSchema
{
    private readonly FrozenDictionary<string, FileDescriptor> _files;
    private readonly FrozenDictionary<string, IDescriptor> _symbols;
    private readonly FrozenDictionary<string, FieldDescriptor[]> _extensions;
    private readonly FrozenDictionary<string, ByteString> _serialized;

    private ProtoSchema(IReadOnlyList<FileDescriptor> files)
    {
        Files = files;
        _files = files.ToFrozenDictionary(file => file.Name);
        _serialized = files.ToFrozenDictionary(file => file.Name, file => FileDescriptorSets.WithoutComments(file.SerializedData));

        var index = new SymbolIndex();
        foreach (var file in files)
        {
            index.Add(file);
        }

        _symbols = index.Symbols.ToFrozenDictionary();
        _extensions = index.Extensions
            .ToFrozenDictionary(entry => entry.Key, entry => entry.Value.OrderBy(field => field.FieldNumber).ToArray());
    }

    /// <summary>All files, each after the files it imports.</summary>
    public IReadOnlyList<FileDescriptor> Files { get; }

    /// <summary>Builds a schema from a serialized <c>google.protobuf.FileDescriptorSet</c> that contains every import.</summary>
    /// <param name="fileDescriptorSet">The serialized set, read to its end; files may come in any order.</param>
    /// <param name="extensions">Custom options to be readable from the descriptors, besides <c>google.api.http</c> and
    /// <c>buf.validate</c>, which always are.</param>
    /// <exception cref="InvalidDataException">The set is malformed, lacks an import, or holds files that contradict each other.</exception>
    public static ProtoSchema Load(Stream fileDescriptorSet, params IEnumerable<Extension> extensions)
    {
        ArgumentNullException.ThrowIfNull(fileDescriptorSet);
        using var buffer = new MemoryStream();
        fileDescriptorSet.CopyTo(buffer);
        return Load(buffer.ToArray().AsMemory(), extensions);
    }

    /// <inheritdoc cref="Load(Stream, IEnumerable{Extension})"/>
    public static ProtoSchema Load(ReadOnlyMemory<byte> fileDescriptorSet, params IEnumerable<Extension> extensions) =>
        new(FileDescriptorSets.Build(fileDescriptorSet, extensions));

    /// <summary>
    /// Builds a schema from descriptors at hand, usually the generated ones of a server without an embedded descriptor set. It has no
    /// comments, and no twin fields are recognized.
    /// </summary>
    /// <param name="files">The files; their imports are added.</param>
    public static ProtoSchema FromFiles(params IEnumerable<FileDescriptor> files)
    {
        ArgumentNullException.ThrowIfNull(files);
        return new(FileDescriptorSets.WithImports(files));
    }

    /// <summary>The file of that name as an import statement spells it, or null.</summary>
    public FileDescriptor? FindFile(string name) => _files.GetValueOrDefault(name);

    /// <summary>The message of that full name (no leading dot), or null.</summary>
    public MessageDescriptor? FindMessage(string fullName) => _symbols.GetValueOrDefault(fullName) as MessageDescriptor;

    /// <summary>The enum of that full name (no leading dot), or null.</summary>
    public EnumDescriptor? FindEnum(string fullName) => _symbols.GetValueOrDefault(fullName) as EnumDescriptor;

    /// <summary>The service of that full name (no leading dot), or null.</summary>
    public ServiceDescriptor? FindService(string fullName) => _symbols.GetValueOrDefault(fullName) as ServiceDescriptor;

    /// <summary>
    /// The element of that full name, or null: a message, field, oneof, enum, enum value, extension, service or method. A method is
    /// <c>package.Service.Method</c>; an enum value is found by <c>package.Enum.VALUE</c> and, as protobuf scopes it, <c>package.VALUE</c>.
    /// </summary>
    public IDescriptor? FindSymbol(string fullName) => _symbols.GetValueOrDefault(fullName);

    /// <summary>The file that declares the element of that full name, or null.</summary>
    public FileDescriptor? FindFileContaining(string symbol) => FindSymbol(symbol)?.File;

    /// <summary>The extension of a message by its number, or null.</summary>
    /// <param name="extendee">Full name of the extended message.</param>
    /// <param name="number">The field number.</param>
    public FieldDescriptor? FindExtension(string extendee, int number) =>
        Array.Find(_extensions.GetValueOrDefault(extendee) ?? [], field => field.FieldNumber == number);

    /// <summary>All known extensions of a message, by number; empty when there are none.</summary>
    /// <param name="extendee">Full name of the extended message.</param>
    public IReadOnlyList<FieldDescriptor> FindExtensions(string extendee) => _extensions.GetValueOrDefault(extendee) ?? [];

    /// <summary>The file as a serialized <c>FileDescriptorProto</c>, its comments left out: what reflection serves.</summary>
    /// <param name="fileName">The name as an import statement spells it.</param>
    /// <exception cref="KeyNotFoundException">There is no such file.</exception>
    public ByteString SerializedFile(string fileName) => _serialized[fileName];

    /// <summary>
    /// The comment that documents an element, without indentation and outer blank lines; empty when there is none or the schema was
    /// not built from a set with source info, and for a oneof. Descriptors of the generated code are accepted too: the full name decides.
    /// </summary>
    public string CommentOf(IDescriptor element)
    {
        ArgumentNullException.ThrowIfNull(element);
        var declaration = _symbols.GetValueOrDefault(element.FullName) switch
        {
            MessageDescriptor message => message.Declaration,
            FieldDescriptor field => field.Declaration,
            EnumDescriptor type => type.Declaration,
            EnumValueDescriptor value => value.Declaration,
            ServiceDescriptor service => service.Declaration,
            MethodDescriptor method => method.Declaration,
            _ => null,
        };
        return declaration switch
        {
            null => "",
            { LeadingComments.Length: > 0 } => Unindent(declaration.LeadingComments),
            _ => Unindent(declaration.TrailingComments),
        };
    }

    // protoc keeps the blank that follows `//`; deeper indentation belongs to the text.
    private static string Unindent(string comment) =>
        string.Join('\n', comment.Split('\n').Select(line => line.StartsWith(' ') ? line[1..].TrimEnd() : line.TrimEnd())).Trim();
}
