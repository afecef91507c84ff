using System.Runtime.CompilerServices;
using System.Text;
using Google.Protobuf.Reflection;
using Google.Protobuf.WellKnownTypes;

namespace Vibe.Rpc.Json;

/// <summary>An enum: written by name, or by number when it has no name; read by name, short name or number.</summary>
internal sealed class EnumCodec<T> : ValueCodec<T>
    where T : struct, System.Enum
{
    private readonly string _fullName;
    private readonly bool _ignoreUnknown;
    private readonly NameTable<int> _numbers;
    private readonly Dictionary<int, byte[]> _names = [];
    private readonly byte[]?[] _small = new byte[]?[64];

    public EnumCodec(EnumDescriptor descriptor, bool ignoreUnknown)
    {
        _fullName = descriptor.FullName;
        _ignoreUnknown = ignoreUnknown;
        var numbers = descriptor.Values.Select(value => (value.Name, value.Number)).ToList();

        // `PUBLIC` for SCOPE_PUBLIC of an enum Scope. Whole names come first, so a short one never hides another's.
        var prefix = Prefix(descriptor.Name);
        numbers.AddRange(descriptor.Values
            .Where(value => value.Name.Length > prefix.Length && value.Name.StartsWith(prefix, StringComparison.Ordinal))
            .Select(value => (value.Name[prefix.Length..], value.Number)));
        _numbers = new(numbers);
        foreach (var value in descriptor.Values)
        {
            // Of two names of one number the first is the canonical one.
            var quoted = Encoding.UTF8.GetBytes($"\"{value.Name}\"");
            if (_names.TryAdd(value.Number, quoted) && (uint)value.Number < (uint)_small.Length)
            {
                _small[value.Number] = quoted;
            }
        }
    }

    public override bool IsDefault(T value) => Unsafe.BitCast<T, int>(value) == 0;

    public override void Write(T value, ref JsonOutput json)
    {
        var number = Unsafe.BitCast<T, int>(value);
        var name = (uint)number < (uint)_small.Length ? _small[number] : _names.GetValueOrDefault(number);
        if (name is null)
        {
            json.Int64(number);
        }
        else
        {
            json.Raw(name);
        }
    }

    public override bool Read(ref JsonScanner json, out T value)
    {
        if (json.Peek() != '"')
        {
            var number = JsonText.NameOfKind(json.Peek()) == "a number"
                ? ScalarText.ReadInteger(ref json, int.MinValue, int.MaxValue)
                : throw json.FailType("the name of an enum value");
            value = Unsafe.BitCast<int, T>((int)number);
            return true;
        }

        var name = ScalarText.ReadBytes(ref json);
        if (_numbers.TryFind(name, out var known))
        {
            value = Unsafe.BitCast<int, T>(known);
            return true;
        }

        value = default;
        return _ignoreUnknown
            ? false
            : throw json.Fail(JsonErrorReason.UnknownEnumValue, $"{_fullName} has no value \"{JsonPath.Shorten(name)}\"");
    }

    private static string Prefix(string name)
    {
        var prefix = new StringBuilder();
        for (var i = 0; i < name.Length; i++)
        {
            // HTTPMethod is HTTP_METHOD: a capital starts a word unless it stands between capitals.
            var starts = i > 0 && char.IsAsciiLetterUpper(name[i])
                && (!char.IsAsciiLetterUpper(name[i - 1]) || (i + 1 < name.Length && char.IsAsciiLetterLower(name[i + 1])));
            prefix.Append(starts ? "_" : "").Append(char.ToUpperInvariant(name[i]));
        }

        return prefix.Append('_').ToString();
    }
}

/// <summary><c>google.protobuf.NullValue</c>: null. Its name and number are read too.</summary>
internal sealed class NullValueCodec : ValueCodec<NullValue>
{
    public override bool AcceptsNull => true;

    public override bool IsDefault(NullValue value) => true;

    public override void Write(NullValue value, ref JsonOutput json) => json.Raw("null"u8);

    public override bool Read(ref JsonScanner json, out NullValue value)
    {
        value = NullValue.NullValue;
        var known = json.TryReadNull()
            || (json.Peek() == '"' ? ScalarText.ReadBytes(ref json).SequenceEqual("NULL_VALUE"u8) : json.ReadNumber() is [(byte)'0']);
        return known ? true : throw json.Fail(JsonErrorReason.WrongType, "null is expected");
    }
}
