using Google.Protobuf;
using Google.Protobuf.Reflection;
using Google.Protobuf.WellKnownTypes;

namespace Vibe.Rpc.Json;

/// <summary>
/// <c>google.protobuf.Any</c>: the members of the message it holds beside <c>@type</c>, or <c>@type</c> and <c>value</c> for a type
/// with a form of its own.
/// </summary>
internal sealed class AnyPlan(JsonCodec codec, MessagePlans plans) : MessagePlan<Any>
{
    public override ReadOnlySpan<byte> AbsentForm => "{}"u8;

    protected override void Write(Any message, ref JsonOutput json)
    {
        json.Enter();
        json.Byte((byte)'{');
        if (message.TypeUrl.Length > 0 || message.Value.Length > 0)
        {
            var descriptor = codec.FindType(Any.GetTypeName(message.TypeUrl)) ?? throw Unknown(message.TypeUrl);
            var content = Parse(descriptor, message);
            json.Raw("\"@type\":"u8);
            json.String(message.TypeUrl);
            switch (plans.Of(descriptor))
            {
                case ObjectPlan { IsSpecial: false } plan:
                    plan.WriteMembers(content, first: false, ref json);
                    break;
                case var plan:
                    json.Raw(",\"value\":"u8);
                    plan.Write(content, ref json);
                    break;
            }
        }

        json.Byte((byte)'}');
        json.Leave();
    }

    protected override void Read(Any target, ref JsonScanner json)
    {
        var typeUrl = FindTypeUrl(ref json);
        if (typeUrl is null)
        {
            ReadEmpty(ref json);
            return;
        }

        var slash = typeUrl.LastIndexOf('/');
        if (slash < 0 || slash == typeUrl.Length - 1)
        {
            throw json.Fail(JsonErrorReason.InvalidTypeUrl, "@type must end in a slash and the name of a type");
        }

        var descriptor = codec.FindType(typeUrl[(slash + 1)..])
            ?? throw json.Fail(JsonErrorReason.UnknownType, $"the type {Short(typeUrl)} is unknown");
        var content = descriptor.Parser.ParseFrom(ByteString.Empty);
        if (plans.Of(descriptor) is ObjectPlan { IsSpecial: false } plan)
        {
            plan.Read(content, ref json, "@type"u8);
        }
        else
        {
            ReadValue(content, descriptor, ref json);
        }

        target.TypeUrl = typeUrl;
        target.Value = content.ToByteString();
    }

    // The type may come after the members that it explains.
    private static string? FindTypeUrl(ref JsonScanner json)
    {
        scoped var ahead = json;
        string? typeUrl = null;
        var first = true;
        ahead.BeginObject();
        while (typeUrl is null && ahead.NextMember(ref first, out var name, out var escaped))
        {
            if ((escaped ? ScalarText.Unescape(name) : name).SequenceEqual("@type"u8))
            {
                typeUrl = ScalarText.Read(ref ahead);
            }
            else
            {
                ahead.Skip();
            }
        }

        json.Charge(ahead);
        return typeUrl;
    }

    private static void ReadEmpty(ref JsonScanner json)
    {
        var first = true;
        json.BeginObject();
        if (json.NextMember(ref first, out _, out _))
        {
            throw json.Fail(JsonErrorReason.InvalidTypeUrl, "a google.protobuf.Any needs @type");
        }
    }

    private void ReadValue(IMessage content, MessageDescriptor descriptor, ref JsonScanner json)
    {
        var (first, types, values) = (true, 0, 0);
        json.BeginObject();
        while (json.NextMember(ref first, out var name, out var escaped))
        {
            name = escaped ? ScalarText.Unescape(name) : name;
            if (name.SequenceEqual("@type"u8) && types++ == 0)
            {
                json.Skip();
            }
            else if (name.SequenceEqual("value"u8) && values++ == 0)
            {
                plans.Of(descriptor).Read(content, ref json);
            }
            else if (types > 1 || values > 1)
            {
                throw json.Fail(JsonErrorReason.DuplicateKey, "the member is given twice");
            }
            else if (codec.Options.IgnoreUnknown)
            {
                json.Skip();
            }
            else
            {
                throw json.Fail(JsonErrorReason.UnknownField, $"beside @type only \"value\" is expected for {descriptor.FullName}");
            }
        }

        // Some writers treat Empty as a message without members, others as a special type.
        if (values == 0 && descriptor.FullName != Empty.Descriptor.FullName)
        {
            throw json.Fail(JsonErrorReason.MissingValue, $"\"value\" is missing for {descriptor.FullName}");
        }
    }

    private static IMessage Parse(MessageDescriptor descriptor, Any message)
    {
        try
        {
            return descriptor.Parser.ParseFrom(message.Value);
        }
        catch (InvalidProtocolBufferException)
        {
            throw Unknown(message.TypeUrl);
        }
    }

    private static JsonCodecException Unknown(string typeUrl) =>
        new(JsonErrorReason.UnknownType, $"a google.protobuf.Any of type {Short(typeUrl)}, which is unknown or does not parse");

    private static string Short(string typeUrl) => typeUrl.Length > 80 ? typeUrl[..80] + "…" : typeUrl;
}
