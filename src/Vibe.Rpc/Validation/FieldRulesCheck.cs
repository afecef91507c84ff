using Buf.Validate;
using Google.Protobuf;
using Google.Protobuf.Reflection;

namespace Vibe.Rpc.Validation;

/// <summary>Finds rules that could not be enforced as written: of the wrong type, without effect, or outside the subset.</summary>
internal static class FieldRulesCheck
{
    private static readonly MessageParser<FieldRules> KnownOnly = FieldRules.Parser.WithDiscardUnknownFields(true);

    /// <summary>What is wrong with the rules of a field; empty when nothing is.</summary>
    public static IEnumerable<string> Problems(FieldDescriptor field, FieldRules rules)
    {
        if (KnownOnly.ParseFrom(rules.ToByteString()).CalculateSize() != rules.CalculateSize())
        {
            yield return "uses a rule outside the subset of buf/validate/validate.proto";
        }

        var expected = field.IsMap ? FieldRules.TypeOneofCase.Map
            : field.IsRepeated ? FieldRules.TypeOneofCase.Repeated
            : RulesOf(field.FieldType);
        if (rules.TypeCase != FieldRules.TypeOneofCase.None && rules.TypeCase != expected)
        {
            yield return $"has {rules.TypeCase} rules, which do not fit its type";
        }

        foreach (var problem in rules.TypeCase == FieldRules.TypeOneofCase.Repeated ? ItemProblems(field, rules.Repeated) : [])
        {
            yield return problem;
        }

        if (PatternProblem(rules) is { } pattern)
        {
            yield return pattern;
        }
    }

    private static IEnumerable<string> ItemProblems(FieldDescriptor field, RepeatedRules rules)
    {
        if (rules.HasUnique && rules.Unique && field.FieldType is FieldType.Message or FieldType.Group)
        {
            yield return "asks for unique messages; unique is for scalars and enums";
        }

        if (rules.Items is not { } items)
        {
            yield break;
        }

        if (items.HasRequired)
        {
            yield return "has required items; an item of a list is always there";
        }

        if (items.TypeCase != FieldRules.TypeOneofCase.None && items.TypeCase != RulesOf(field.FieldType))
        {
            yield return $"has {items.TypeCase} rules for its items, which do not fit their type";
        }

        if (PatternProblem(items) is { } pattern)
        {
            yield return pattern;
        }
    }

    private static string? PatternProblem(FieldRules rules)
    {
        if (rules.TypeCase != FieldRules.TypeOneofCase.String || !rules.String.HasPattern)
        {
            return null;
        }

        try
        {
            RulePattern.Compile(rules.String.Pattern);
            return null;
        }
        catch (Exception exception) when (exception is ArgumentException or FormatException or NotSupportedException)
        {
            return $"has the pattern '{rules.String.Pattern}', which cannot be used: {exception.Message}";
        }
    }

    private static FieldRules.TypeOneofCase? RulesOf(FieldType type) => type switch
    {
        FieldType.Int32 => FieldRules.TypeOneofCase.Int32,
        FieldType.Int64 => FieldRules.TypeOneofCase.Int64,
        FieldType.String => FieldRules.TypeOneofCase.String,
        FieldType.Bytes => FieldRules.TypeOneofCase.Bytes,
        FieldType.Enum => FieldRules.TypeOneofCase.Enum,
        _ => null,
    };
}
