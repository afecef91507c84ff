using Google.Protobuf;
using Google.Protobuf.Reflection;

namespace Vibe.Rpc.Json;

/// <summary>A message that is an object of its fields.</summary>
internal sealed class ObjectPlan : MessagePlan
{
    private const int SeenWords = 4;

    private readonly JsonCodecOptions _options;
    private readonly FieldPlan[] _fields;
    private readonly NameTable<FieldPlan> _names;
    private readonly int _choices;
    private readonly string _fullName;

    public ObjectPlan(MessageDescriptor descriptor, FieldPlan[] fields, JsonCodecOptions options)
    {
        _fullName = descriptor.FullName;
        _options = options;
        _fields = fields;
        _choices = descriptor.Oneofs.Count;
        _names = new([
            .. fields.Select(field => (field.Descriptor.JsonName, field)),
            .. fields.Select(field => (field.Descriptor.Name, field)),
        ]);
        IsSpecial = descriptor.FullName == "google.protobuf.Empty";
        for (var i = 0; i < fields.Length; i++)
        {
            fields[i].Index = i;
        }
    }

    /// <summary>Every type of the well-known files counts as special inside an Any, so Empty does; it has no members to read.</summary>
    public override bool IsSpecial { get; }

    public override ReadOnlySpan<byte> AbsentForm => "{}"u8;

    /// <summary>The plan of a field of this message, by its number.</summary>
    public FieldPlan Field(FieldDescriptor descriptor) =>
        Array.Find(_fields, field => field.Descriptor.FieldNumber == descriptor.FieldNumber)
            ?? throw new ArgumentException($"{descriptor.FullName} is no field of {_fullName}.", nameof(descriptor));

    public override void Write(IMessage message, ref JsonOutput json)
    {
        json.Enter();
        json.Byte((byte)'{');
        WriteMembers(message, first: true, ref json);
        json.Byte((byte)'}');
        json.Leave();
    }

    /// <summary>Writes the members of the object.</summary>
    public void WriteMembers(IMessage message, bool first, ref JsonOutput json)
    {
        foreach (var field in _fields)
        {
            if (field.Write(message, first, _options.EmitDefaults, ref json))
            {
                first = false;
            }
        }
    }

    public override void Read(IMessage target, ref JsonScanner json) => Read(target, ref json, ignored: []);

    /// <summary>Reads an object.</summary>
    /// <param name="target">What to fill.</param>
    /// <param name="json">Stands before the object.</param>
    /// <param name="ignored">The name of a member that is not for this message, or empty.</param>
    public void Read(IMessage target, ref JsonScanner json, scoped ReadOnlySpan<byte> ignored)
    {
        json.BeginObject();
        Span<ulong> seen = stackalloc ulong[SeenWords];
        if (_fields.Length + _choices > SeenWords * 64)
        {
            seen = new ulong[((_fields.Length + _choices) / 64) + 1];
        }

        var first = true;
        var ignoredTimes = 0;
        var next = 0;
        while (json.NextMember(ref first, out var name, out var escaped))
        {
            if (escaped)
            {
                name = ScalarText.Unescape(name);
            }

            // Most writers keep the order of the fields: the next one is a good guess.
            var field = next < _fields.Length && name.SequenceEqual(_fields[next].Name) ? _fields[next]
                : _names.TryFind(name, out var found) ? found
                : null;
            if (field is not null)
            {
                next = field.Index + 1;
                ReadMember(target, field, seen, ref json);
            }
            else if (ignored.Length > 0 && name.SequenceEqual(ignored))
            {
                if (ignoredTimes++ > 0)
                {
                    throw json.Fail(JsonErrorReason.DuplicateKey, "the member is given twice");
                }

                json.Skip();
            }
            else if (_options.IgnoreUnknown)
            {
                json.Skip();
            }
            else
            {
                throw json.Fail(JsonErrorReason.UnknownField, $"{_fullName} has no field \"{JsonPath.Shorten(name)}\"");
            }
        }
    }

    private static bool Mark(Span<ulong> seen, int bit)
    {
        ref var word = ref seen[bit >> 6];
        var mask = 1UL << (bit & 63);
        var isNew = (word & mask) == 0;
        word |= mask;
        return isNew;
    }

    private void ReadMember(IMessage target, FieldPlan field, scoped Span<ulong> seen, ref JsonScanner json)
    {
        if (!Mark(seen, field.Index))
        {
            throw json.Fail(JsonErrorReason.DuplicateKey, "the field is given twice");
        }

        if (!field.AcceptsNull && json.TryReadNull())
        {
            // Absence may be said for any number of fields of a oneof.
            field.Clear(target);
            return;
        }

        if (field.Choice is { } choice && !Mark(seen, _fields.Length + choice.Index))
        {
            throw json.Fail(JsonErrorReason.OneofConflict, $"another field of the oneof {choice.Name} is given already");
        }

        field.Read(target, ref json);
    }
}
