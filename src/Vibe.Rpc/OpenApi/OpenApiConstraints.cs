using System.Globalization;
using System.Text.Json.Nodes;
using Buf.Validate;
using Google.Protobuf.Reflection;

namespace Vibe.Rpc.OpenApi;

/// <summary>Writes <c>buf.validate</c> rules as JSON schema keywords, and those that have none as words.</summary>
internal static class OpenApiConstraints
{
    public static bool IsRequired(FieldDescriptor field) => Rules(field)?.Required == true;

    /// <summary>Adds the keywords that follow from the rules of a field to its schema.</summary>
    public static void Apply(FieldDescriptor field, JsonObject target)
    {
        if (Rules(field) is { } rules)
        {
            Apply(rules, target);
        }
    }

    /// <summary>The rules that no keyword expresses.</summary>
    public static IEnumerable<string> InWords(FieldDescriptor field)
    {
        switch (Rules(field))
        {
            case { String.HasMaxBytes: true } rules:
                yield return Words($"At most {rules.String.MaxBytes} bytes of UTF-8.");
                break;
            case { Bytes.HasMaxLen: true } rules:
                yield return Words($"At most {rules.Bytes.MaxLen} bytes before base64.");
                break;
            case { TypeCase: FieldRules.TypeOneofCase.Int64 } rules:
                if (rules.Int64.HasGte)
                {
                    yield return Words($"At least {rules.Int64.Gte}.");
                }

                if (rules.Int64.HasLte)
                {
                    yield return Words($"At most {rules.Int64.Lte}.");
                }

                break;
        }
    }

    private static FieldRules? Rules(FieldDescriptor field) => field.GetOptions()?.GetExtension(ValidateExtensions.Field);

    private static void Apply(FieldRules rules, JsonObject target)
    {
        switch (rules.TypeCase)
        {
            case FieldRules.TypeOneofCase.String:
                Apply(rules.String, target);
                break;
            case FieldRules.TypeOneofCase.Bytes when rules.Bytes.HasMaxLen:
                target["maxLength"] = (rules.Bytes.MaxLen + 2) / 3 * 4;
                break;
            case FieldRules.TypeOneofCase.Int32:
                Set(target, "minimum", rules.Int32.HasGte, rules.Int32.Gte);
                Set(target, "maximum", rules.Int32.HasLte, rules.Int32.Lte);
                break;
            case FieldRules.TypeOneofCase.Map when rules.Map.HasMaxPairs:
                target["maxProperties"] = rules.Map.MaxPairs;
                break;
            case FieldRules.TypeOneofCase.Repeated:
                Set(target, "minItems", rules.Repeated.HasMinItems, rules.Repeated.MinItems);
                Set(target, "maxItems", rules.Repeated.HasMaxItems, rules.Repeated.MaxItems);
                Set(target, "uniqueItems", rules.Repeated.Unique, true);
                if (rules.Repeated.Items is { } items && target["items"] is JsonObject element)
                {
                    Apply(items, element);
                }

                break;
        }
    }

    private static void Apply(StringRules rules, JsonObject target)
    {
        Set(target, "minLength", rules.HasMinLen, rules.MinLen);

        // A character takes at least one byte, so a limit in bytes limits the characters, too.
        Set(target, "maxLength", rules.HasMaxLen || rules.HasMaxBytes,
            Math.Min(rules.HasMaxLen ? rules.MaxLen : ulong.MaxValue, rules.HasMaxBytes ? rules.MaxBytes : ulong.MaxValue));
        Set(target, "pattern", rules.HasPattern, rules.Pattern);
        Set(target, "format", rules.Uuid, "uuid");
    }

    private static void Set<T>(JsonObject target, string keyword, bool applies, T value)
    {
        if (applies)
        {
            target[keyword] = JsonValue.Create(value);
        }
    }

    private static string Words(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}
