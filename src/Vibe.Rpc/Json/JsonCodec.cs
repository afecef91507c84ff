using System.Buffers;
using System.Collections.Concurrent;
using Google.Protobuf;
using Google.Protobuf.Reflection;

namespace Vibe.Rpc.Json;

/// <summary>
/// The protobuf JSON mapping (https://protobuf.dev/programming-guides/json) between generated messages and UTF-8.
/// </summary>
/// <remarks>
/// <para>Fields are read by JSON name and by proto name, enums by name, by number, and by name without the prefix of their type
/// (<c>PUBLIC</c> for <c>SCOPE_PUBLIC</c>). Names given twice are errors. Input is bounded in depth, and validated as UTF-8.</para>
/// <para>Thread-safe; make one per server. How a type is read and written is worked out when it is first met.</para>
/// </remarks>
public sealed class JsonCodec
{
    private readonly ConcurrentDictionary<string, MessageDescriptor> _types = new();
    private readonly MessagePlans _plans;

    /// <summary>Makes a codec.</summary>
    /// <param name="schema">The public descriptors; tells which <c>bytes</c> fields of generated messages are the wire twin of a
    /// <c>google.protobuf.Struct</c>. Null when there are none.</param>
    /// <param name="options">Null for the defaults.</param>
    public JsonCodec(ProtoSchema? schema = null, JsonCodecOptions? options = null)
    {
        Schema = schema;
        Options = options ?? new();
        AddTypes(WellKnown.Files);
        _plans = new(this);
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
    public void Write(IMessage message, IBufferWriter<byte> output)
    {
        ArgumentNullException.ThrowIfNull(message);
        ArgumentNullException.ThrowIfNull(output);
        var json = new JsonOutput(output);
        _plans.Of(message.Descriptor).Write(message, ref json);
        json.Flush();
    }

    /// <summary>Writes the value of one field, without its name: what a REST rule with a <c>response_body</c> answers. An absent message
    /// is an empty object, null if its type has a form of its own; another absent field with presence is null.</summary>
    /// <exception cref="ArgumentException">The message has no such field.</exception>
    /// <exception cref="JsonCodecException">As <see cref="Write"/>.</exception>
    public void WriteField(IMessage message, FieldDescriptor field, IBufferWriter<byte> output)
    {
        ArgumentNullException.ThrowIfNull(message);
        ArgumentNullException.ThrowIfNull(output);
        var json = new JsonOutput(output);
        FieldOf(message, field).WriteValue(message, ref json);
        json.Flush();
    }

    /// <summary>
    /// Reads one JSON value into a message. Lists and maps are appended to, other fields replaced, and null clears a field.
    /// </summary>
    /// <exception cref="JsonCodecException">The input is not the JSON of such a message; the target may have been filled in part.</exception>
    public void Merge(ReadOnlySequence<byte> json, IMessage target)
    {
        ArgumentNullException.ThrowIfNull(target);
        using var text = new ContiguousText(json);
        var scanner = new JsonScanner(text.Span, Options.MaxDepth, JsonErrors.Codec);
        _plans.Of(target.Descriptor).Read(target, ref scanner);
        scanner.End();
    }

    /// <summary>Reads one JSON value into a field: the body of a REST rule that names a field.</summary>
    /// <exception cref="ArgumentException">The message has no such field.</exception>
    /// <exception cref="JsonCodecException">As <see cref="Merge"/>; the path starts with the field.</exception>
    public void MergeField(ReadOnlySequence<byte> json, IMessage target, FieldDescriptor field)
    {
        ArgumentNullException.ThrowIfNull(target);
        var plan = FieldOf(target, field);
        using var text = new ContiguousText(json);
        var scanner = new JsonScanner(text.Span, Options.MaxDepth, new(plan.Descriptor.JsonName, structOnly: false));
        if (!plan.AcceptsNull && scanner.TryReadNull())
        {
            plan.Clear(target);
        }
        else
        {
            plan.Read(target, ref scanner);
        }

        scanner.End();
    }

    internal MessageDescriptor? FindType(string fullName) => _types.GetValueOrDefault(fullName);

    private FieldPlan FieldOf(IMessage message, FieldDescriptor field)
    {
        ArgumentNullException.ThrowIfNull(field);
        return _plans.Of(message.Descriptor) is ObjectPlan plan
            ? plan.Field(field)
            : throw new ArgumentException($"{message.Descriptor.FullName} is no object of fields in JSON.", nameof(message));
    }

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
