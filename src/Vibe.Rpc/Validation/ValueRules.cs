using System.Globalization;
using System.Text;
using Buf.Validate;
using Google.Protobuf;
using Google.Protobuf.Reflection;

namespace Vibe.Rpc.Validation;

/// <summary>The rules of single values, each as a closure over its limit.</summary>
internal static class ValueRules
{
    public static Rule<string>[] Of(StringRules rules)
    {
        List<Rule<string>> compiled = [];
        if (rules.HasMinLen)
        {
            var (limit, broken) = (rules.MinLen, Broken("STRING_MIN_LEN", $"Must have at least {rules.MinLen} characters."));
            compiled.Add(value => CodePoints(value) >= limit ? null : broken);
        }

        if (rules.HasMaxLen)
        {
            var (limit, broken) = (rules.MaxLen, Broken("STRING_MAX_LEN", $"Must have at most {rules.MaxLen} characters."));

            // Counting is needed only when UTF-16 says more than Unicode may mean.
            compiled.Add(value => (ulong)value.Length <= limit || CodePoints(value) <= limit ? null : broken);
        }

        if (rules.HasMaxBytes)
        {
            var (limit, broken) = (rules.MaxBytes, Broken("STRING_MAX_BYTES", $"Must have at most {rules.MaxBytes} bytes in UTF-8."));
            compiled.Add(value => (ulong)value.Length * 3 <= limit || (ulong)Encoding.UTF8.GetByteCount(value) <= limit ? null : broken);
        }

        if (rules.HasPattern)
        {
            var (pattern, broken) = (RulePattern.Compile(rules.Pattern), Broken("STRING_PATTERN", $"Must match the pattern {rules.Pattern}"));
            compiled.Add(value => pattern.IsMatch(value) ? null : broken);
        }

        if (rules.HasUuid && rules.Uuid)
        {
            var broken = Broken("STRING_UUID", $"Must be a UUID in the form 01234567-89ab-cdef-0123-456789abcdef.");
            compiled.Add(value => IsUuid(value) ? null : broken);
        }

        return [.. compiled];
    }

    public static Rule<int>[] Of(Int32Rules rules)
    {
        List<Rule<int>> compiled = [];
        if (rules.HasGte)
        {
            var (limit, broken) = (rules.Gte, Broken("INT32_GTE", $"Must be at least {rules.Gte}."));
            compiled.Add(value => value >= limit ? null : broken);
        }

        if (rules.HasLte)
        {
            var (limit, broken) = (rules.Lte, Broken("INT32_LTE", $"Must be at most {rules.Lte}."));
            compiled.Add(value => value <= limit ? null : broken);
        }

        return [.. compiled];
    }

    public static Rule<long>[] Of(Int64Rules rules)
    {
        List<Rule<long>> compiled = [];
        if (rules.HasGte)
        {
            var (limit, broken) = (rules.Gte, Broken("INT64_GTE", $"Must be at least {rules.Gte}."));
            compiled.Add(value => value >= limit ? null : broken);
        }

        if (rules.HasLte)
        {
            var (limit, broken) = (rules.Lte, Broken("INT64_LTE", $"Must be at most {rules.Lte}."));
            compiled.Add(value => value <= limit ? null : broken);
        }

        return [.. compiled];
    }

    public static Rule<ByteString>[] Of(BytesRules rules)
    {
        if (!rules.HasMaxLen)
        {
            return [];
        }

        var (limit, broken) = (rules.MaxLen, Broken("BYTES_MAX_LEN", $"Must have at most {rules.MaxLen} bytes."));
        return [value => (ulong)value.Length <= limit ? null : broken];
    }

    public static Rule<int>[] Of(EnumRules rules, EnumDescriptor type)
    {
        if (!rules.HasDefinedOnly || !rules.DefinedOnly)
        {
            return [];
        }

        var defined = type.Values.Select(value => value.Number).ToHashSet();
        var broken = Broken("ENUM_DEFINED_ONLY", $"Must be a defined value of {type.Name}.");
        return [value => defined.Contains(value) ? null : broken];
    }

    private static BrokenRule Broken(string reason, FormattableString description) =>
        new(reason, description.ToString(CultureInfo.InvariantCulture));

    private static ulong CodePoints(string value)
    {
        var count = value.Length;
        for (var i = 1; i < value.Length; i++)
        {
            if (char.IsSurrogatePair(value[i - 1], value[i]))
            {
                count--;
                i++;
            }
        }

        return (ulong)count;
    }

    // Guid.TryParseExact also takes white space around it.
    private static bool IsUuid(string value)
    {
        if (value.Length != 36)
        {
            return false;
        }

        for (var i = 0; i < value.Length; i++)
        {
            var ok = i is 8 or 13 or 18 or 23 ? value[i] == '-' : char.IsAsciiHexDigit(value[i]);
            if (!ok)
            {
                return false;
            }
        }

        return true;
    }
}
