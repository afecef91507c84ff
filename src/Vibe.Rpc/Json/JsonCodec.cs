using System.Buffers;
using System.Collections.Concurrent;
using System.Text;
using Google.Protobuf;
using Google.Protobuf.Reflection;

namespace Vibe.Rpc.Json;

/// <summary>
/// The protobuf JSON mapping (https://protobuf.dev/programming-guides/json) between generated messages and UTF-8.
/// </summary>
/// <remarks>Thread-safe; make one per server.</remarks>
public sealed class JsonCodec
{
    private readonly ConcurrentDictionary<string, MessageDescriptor> _types = new();
    private readonly JsonFormatter _formatter;
    private readonly JsonParser _parser;

    /// <summary>Makes a codec.</summary>
    /// <param name="schema">The public descriptors; tells which <c>bytes</c> fields of generated messages are the wire twin of a
    /// <c>google.protobuf.Struct</c>. Null when there are none.</param>
    /// <param name="options">Null for the defaults.</param>
    public JsonCodec(ProtoSchema? schema = null, JsonCodecOptions? options = null)
    {
        Schema = schema;
        Options = options ?? new();
        AddTypes(WellKnown.Files);
        var registry = TypeRegistry.FromFiles(WellKnown.Files);
        _formatter = new(JsonFormatter.Settings.Default.WithFormatDefaultValues(Options.EmitDefaults).WithTypeRegistry(registry));
        _parser = new(JsonParser.Settings.Default.WithTypeRegistry(registry).WithIgnoreUnknownFields(Options.IgnoreUnknown));
    }

    /// <summary>The public descriptors, if any.</summary>
    public ProtoSchema? Schema { get; }

    /// <summary>How the codec reads and writes.</summary>
    public JsonCodecOptions Options { get; }

    /// <summary>
    /// Makes the messages of generated files, and of the files they import, known inside <c>google.protobuf.Any</c>. The well-known
    /// types and <c>google.rpc</c> details always are.
    /// </summary>
    public void AddTypes(params IEnumerable<FileDescriptor> files)
    {
        foreach (var file in FileDescriptorSets.WithImports(files))
        {
            foreach (var message in file.MessageTypes)
            {
                AddType(message);
            }
        }
    }

    /// <summary>Whether a <c>google.protobuf.Any</c> of that type URL can be read and written.</summary>
    public bool KnowsType(string typeUrl)
    {
        ArgumentNullException.ThrowIfNull(typeUrl);
        return _types.ContainsKey(typeUrl[(typeUrl.LastIndexOf('/') + 1)..]);
    }

    /// <summary>Writes a message.</summary>
    /// <exception cref="JsonCodecException">The message holds what JSON cannot say, as a timestamp out of range or an Any of an unknown
    /// type. Part of the output may have been written.</exception>
    public void Write(IMessage message, IBufferWriter<byte> output) =>
        output.Write(Encoding.UTF8.GetBytes(_formatter.Format(message)));

    /// <summary>Writes the value of one field, without its name: what a REST rule with a <c>response_body</c> answers. An unset message is
    /// an empty object, another unset field with presence null.</summary>
    /// <exception cref="JsonCodecException">As <see cref="Write"/>.</exception>
    public void WriteField(IMessage message, FieldDescriptor field, IBufferWriter<byte> output)
    {
        using var text = new StringWriter();
        _formatter.WriteValue(text, field.Accessor.GetValue(message));
        output.Write(Encoding.UTF8.GetBytes(text.ToString()));
    }

    /// <summary>
    /// Reads one JSON value into a message. Lists and maps are appended to, other fields replaced, and null clears a field.
    /// </summary>
    /// <exception cref="JsonCodecException">The input is not the JSON of such a message; the target may have been filled in part.</exception>
    public void Merge(ReadOnlySequence<byte> json, IMessage target) =>
        target.MergeFrom(_parser.Parse(Encoding.UTF8.GetString(json), target.Descriptor).ToByteString());

    /// <summary>Reads one JSON value into a field: the body of a REST rule that names a field.</summary>
    /// <exception cref="JsonCodecException">As <see cref="Merge"/>; the path starts with the field.</exception>
    public void MergeField(ReadOnlySequence<byte> json, IMessage target, FieldDescriptor field)
    {
        var wrapped = $"{{\"{field.JsonName}\":{Encoding.UTF8.GetString(json)}}}";
        target.MergeFrom(_parser.Parse(wrapped, target.Descriptor).ToByteString());
    }

    internal MessageDescriptor? FindType(string fullName) => _types.GetValueOrDefault(fullName);

    private void AddType(MessageDescriptor message)
    {
        if (message.Parser is not null)
        {
            _types.TryAdd(message.FullName, message);
        }

        foreach (var nested in message.NestedTypes)
        {
            AddType(nested);
        }
    }
}
