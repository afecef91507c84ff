using System.Collections;
using Google.Protobuf;
using Google.Protobuf.Reflection;
using Google.Protobuf.WellKnownTypes;
using Vibe.RpcTest.V1;

namespace Vibe.Rpc.Tests.Json;

/// <summary>Random messages from a seed, of what JSON can express.</summary>
internal sealed class RandomMessages(int seed)
{
    private readonly Random _random = new(seed);
    private readonly RandomJson _json = new(seed);

    public T Next<T>(int depth = 3)
        where T : IMessage, new()
    {
        var message = new T();
        Fill(message, depth);
        return message;
    }

    private void Fill(IMessage message, int depth)
    {
        foreach (var field in message.Descriptor.Fields.InFieldNumberOrder())
        {
            if (_random.Next(3) != 0)
            {
                continue;
            }

            if (field.IsMap)
            {
                var map = (IDictionary)field.Accessor.GetValue(message);
                for (var i = _random.Next(4); i > 0; i--)
                {
                    map[Random(field.MessageType.FindFieldByNumber(1), 0)!] = Random(field.MessageType.FindFieldByNumber(2), depth - 1);
                }
            }
            else if (field.IsRepeated)
            {
                var list = (IList)field.Accessor.GetValue(message);
                for (var i = _random.Next(4); i > 0; i--)
                {
                    list.Add(Random(field, depth - 1));
                }
            }
            else if (field.FieldType != FieldType.Message || depth > 0 || field.MessageType.File.Package == "google.protobuf")
            {
                field.Accessor.SetValue(message, Random(field, depth - 1));
            }
        }
    }

    private object? Random(FieldDescriptor field, int depth) => field.FieldType switch
    {
        // Never -0: without presence it is left out, in JSON and on the wire, and then no longer equal to itself.
        FieldType.Double => NotFiniteSometimes(_json.Number() + 0.0),
        FieldType.Float => (float)NotFiniteSometimes(_random.Next(3) == 0 ? _random.NextSingle() * 1e38f : _random.Next(-5, 5) / 8f),
        FieldType.Int32 or FieldType.SInt32 or FieldType.SFixed32 => (int)Integer(),
        FieldType.Int64 or FieldType.SInt64 or FieldType.SFixed64 => Integer(),
        FieldType.UInt32 or FieldType.Fixed32 => (uint)Integer(),
        FieldType.UInt64 or FieldType.Fixed64 => (ulong)Integer(),
        FieldType.Bool => _random.Next(2) == 0,
        FieldType.String => _json.Text(),
        FieldType.Bytes => Bytes(),
        FieldType.Enum when field.EnumType.Name == "NullValue" => NullValue.NullValue,
        FieldType.Enum => (AllTypes.Types.Color)(_random.Next(5) == 0 ? _random.Next() : _random.Next(-1, 3)),
        _ => Message(field.MessageType, depth),
    };

    private object? Message(MessageDescriptor type, int depth) => type.Name switch
    {
        "Timestamp" => new Timestamp { Seconds = _random.NextInt64(-62135596800, 253402300799), Nanos = Nanos() },
        "Duration" => (_random.Next(2) == 0 ? 1 : -1) is var sign
            ? new Duration { Seconds = sign * _random.NextInt64(_random.Next(2) == 0 ? 2 : 315576000000), Nanos = sign * Nanos() }
            : null,
        "FieldMask" => new FieldMask { Paths = { Enumerable.Range(0, _random.Next(3)).Select(i => $"foo_bar{i}.baz") } },
        "Struct" => JsonParser.Default.Parse<Struct>(_json.Object(3)),
        "ListValue" => new ListValue { Values = { Value.ForString(_json.Text()), Value.ForNumber(_json.Number()) } },
        "Value" => Value.ForStruct(JsonParser.Default.Parse<Struct>(_json.Object(2))),
        "Any" => Any.Pack(_random.Next(2) == 0 ? new Duration { Seconds = 3 } : new AllTypes { Text = _json.Text(), Int64Value = 5 }),
        "DoubleValue" => NotFiniteSometimes(_json.Number()),
        "Int64Value" => Integer(),
        "UInt64Value" => (ulong)Integer(),
        "Int32Value" => (int)Integer(),
        "BoolValue" => _random.Next(2) == 0,
        "StringValue" => _json.Text(),
        "BytesValue" => Bytes(),
        _ => Filled(type, depth),
    };

    private IMessage Filled(MessageDescriptor type, int depth)
    {
        var message = type.Parser.ParseFrom(ByteString.Empty);
        if (depth > 0)
        {
            Fill(message, depth);
        }

        return message;
    }

    private double NotFiniteSometimes(double value) => _random.Next(10) switch
    {
        0 => double.NaN,
        1 => double.PositiveInfinity,
        2 => double.NegativeInfinity,
        _ => value,
    };

    private long Integer() => _random.Next(4) switch
    {
        0 => 0,
        1 => _random.Next(-100, 100),
        2 => _random.Next(2) == 0 ? long.MinValue : long.MaxValue,
        _ => _random.NextInt64(long.MinValue, long.MaxValue),
    };

    private int Nanos() => _random.Next(4) switch
    {
        0 => 0,
        1 => _random.Next(1000) * 1_000_000,
        2 => _random.Next(1_000_000) * 1_000,
        _ => _random.Next(1_000_000_000),
    };

    private ByteString Bytes()
    {
        var bytes = new byte[_random.Next(20) == 0 ? _random.Next(8000) : _random.Next(10)];
        _random.NextBytes(bytes);
        return ByteString.CopyFrom(bytes);
    }
}
