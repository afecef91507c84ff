using System.Collections.Concurrent;
using System.Reflection;
using Google.Protobuf;
using Google.Protobuf.Reflection;
using Google.Protobuf.WellKnownTypes;

namespace Vibe.Rpc.Json;

/// <summary>Makes the plans of message types from their descriptors, each once.</summary>
internal sealed class MessagePlans(JsonCodec codec)
{
    private static readonly Dictionary<string, System.Type> Wrappers = new()
    {
        ["google.protobuf.DoubleValue"] = typeof(double),
        ["google.protobuf.FloatValue"] = typeof(float),
        ["google.protobuf.Int64Value"] = typeof(long),
        ["google.protobuf.UInt64Value"] = typeof(ulong),
        ["google.protobuf.Int32Value"] = typeof(int),
        ["google.protobuf.UInt32Value"] = typeof(uint),
        ["google.protobuf.BoolValue"] = typeof(bool),
        ["google.protobuf.StringValue"] = typeof(string),
        ["google.protobuf.BytesValue"] = typeof(ByteString),
    };

    private readonly ConcurrentDictionary<MessageDescriptor, MessagePlan> _plans = new();

    public MessagePlan Of(MessageDescriptor descriptor) =>
        _plans.TryGetValue(descriptor, out var plan) ? plan : _plans.GetOrAdd(descriptor, Make);

    private MessagePlan Make(MessageDescriptor descriptor) => descriptor.FullName switch
    {
        "google.protobuf.Timestamp" => new TimestampPlan(),
        "google.protobuf.Duration" => new DurationPlan(),
        "google.protobuf.FieldMask" => new FieldMaskPlan(),
        "google.protobuf.Struct" => new StructPlan(),
        "google.protobuf.Value" => new ValuePlan(),
        "google.protobuf.ListValue" => new ListPlan(),
        "google.protobuf.Any" => new AnyPlan(codec, this),
        var name when Wrappers.ContainsKey(name) => (MessagePlan)Field(descriptor, descriptor.FindFieldByNumber(1), typeof(WrapperPlan<,>)),
        _ => new ObjectPlan(
            descriptor,
            [.. descriptor.Fields.InFieldNumberOrder().Select(field => (FieldPlan)Field(descriptor, field, null))],
            codec.Options),
    };

    private object Field(MessageDescriptor owner, FieldDescriptor field, System.Type? singular)
    {
        var message = owner.ClrType ?? throw new ArgumentException($"{owner.FullName} has no generated class.", nameof(owner));
        var property = message.GetProperty(field.PropertyName)
            ?? throw new InvalidOperationException($"{message} has no property {field.PropertyName}.");
        if (field.IsMap)
        {
            var (keyType, key) = KeyCodecOf(field.MessageType.FindFieldByNumber(1));
            var (valueType, value) = CodecOf(field.MessageType.FindFieldByNumber(2));
            return Create(typeof(MapPlan<,,>).MakeGenericType(message, keyType, valueType), field, property, key, value);
        }

        var (type, valueCodec) = CodecOf(field);
        var plan = singular ?? (field.IsRepeated ? typeof(RepeatedPlan<,>) : typeof(SingularPlan<,>));
        return Create(plan.MakeGenericType(message, type), field, property, valueCodec);
    }

    private (System.Type Type, object Codec) CodecOf(FieldDescriptor field) => field.FieldType switch
    {
        FieldType.Double => (typeof(double), new DoubleCodec()),
        FieldType.Float => (typeof(float), new SingleCodec()),
        FieldType.Int32 or FieldType.SInt32 or FieldType.SFixed32 => (typeof(int), new Int32Codec()),
        FieldType.Int64 or FieldType.SInt64 or FieldType.SFixed64 => (typeof(long), new Int64Codec()),
        FieldType.UInt32 or FieldType.Fixed32 => (typeof(uint), new UInt32Codec()),
        FieldType.UInt64 or FieldType.Fixed64 => (typeof(ulong), new UInt64Codec()),
        FieldType.Bool => (typeof(bool), new BoolCodec()),
        FieldType.String => (typeof(string), new StringCodec()),
        FieldType.Bytes => (typeof(ByteString), IsTwin(field) ? new StructTwinCodec(codec.Options.MaxStructBytes) : new BytesCodec()),
        FieldType.Enum when field.EnumType.FullName == "google.protobuf.NullValue" => (typeof(NullValue), new NullValueCodec()),
        FieldType.Enum => (
            field.EnumType.ClrType,
            Create(typeof(EnumCodec<>).MakeGenericType(field.EnumType.ClrType), field.EnumType, codec.Options.IgnoreUnknown)),
        _ when Wrappers.TryGetValue(field.MessageType.FullName, out var wrapped) => WrapperCodecOf(field.MessageType, wrapped),
        _ => (
            field.MessageType.ClrType,
            Create(typeof(MessageCodec<>).MakeGenericType(field.MessageType.ClrType), this, field.MessageType)),
    };

    private (System.Type Type, object Codec) WrapperCodecOf(MessageDescriptor wrapper, System.Type wrapped)
    {
        var inner = CodecOf(wrapper.FindFieldByNumber(1)).Codec;
        return wrapped.IsValueType
            ? (typeof(Nullable<>).MakeGenericType(wrapped), Create(typeof(NullableCodec<>).MakeGenericType(wrapped), inner))
            : (wrapped, Create(typeof(AbsentCodec<>).MakeGenericType(wrapped), inner));
    }

    private static (System.Type Type, object Codec) KeyCodecOf(FieldDescriptor field) => field.FieldType switch
    {
        FieldType.String => (typeof(string), new StringKeyCodec()),
        FieldType.Bool => (typeof(bool), new BoolKeyCodec()),
        FieldType.Int32 or FieldType.SInt32 or FieldType.SFixed32 => (
            typeof(int), new IntegerKeyCodec<int>(int.MinValue, int.MaxValue, value => (int)value, key => key)),
        FieldType.Int64 or FieldType.SInt64 or FieldType.SFixed64 => (
            typeof(long), new IntegerKeyCodec<long>(long.MinValue, long.MaxValue, value => value, key => key)),
        FieldType.UInt32 or FieldType.Fixed32 => (
            typeof(uint), new IntegerKeyCodec<uint>(0, uint.MaxValue, value => (uint)value, key => key)),
        _ => (typeof(ulong), new UInt64KeyCodec()),
    };

    // Parameters of exactly the constructor's types: no binder, and an error here is an error of this file.
    private static object Create(System.Type type, params object[] arguments) =>
        type.GetConstructors(BindingFlags.Instance | BindingFlags.Public)[0].Invoke(arguments);

    /// <summary>Whether the public field is a Struct that generated code holds as bytes.</summary>
    private bool IsTwin(FieldDescriptor field) =>
        codec.Schema?.FindMessage(field.ContainingType.FullName)?.FindFieldByNumber(field.FieldNumber)
            is { FieldType: FieldType.Message, IsRepeated: false } shown
        && shown.MessageType.FullName == "google.protobuf.Struct";
}
