using System.Collections;
using System.Globalization;
using Buf.Validate;

namespace Vibe.Rpc.Validation;

/// <summary>The rules of lists and maps as a whole.</summary>
internal static class ListRules
{
    public static Rule<IList>[] Of(RepeatedRules rules)
    {
        List<Rule<IList>> compiled = [];
        if (rules.HasMinItems)
        {
            var (limit, broken) = (rules.MinItems, Broken("REPEATED_MIN_ITEMS", $"Must have at least {rules.MinItems} items."));
            compiled.Add(list => (ulong)list.Count >= limit ? null : broken);
        }

        if (rules.HasMaxItems)
        {
            var (limit, broken) = (rules.MaxItems, Broken("REPEATED_MAX_ITEMS", $"Must have at most {rules.MaxItems} items."));
            compiled.Add(list => (ulong)list.Count <= limit ? null : broken);
        }

        if (rules.HasUnique && rules.Unique)
        {
            var broken = Broken("REPEATED_UNIQUE", $"Must not have two equal items.");
            compiled.Add(list => list.Count < 2 || new HashSet<object>(list.Cast<object>()).Count == list.Count ? null : broken);
        }

        return [.. compiled];
    }

    public static Rule<ICollection> MaxPairs(ulong limit)
    {
        var broken = Broken("MAP_MAX_PAIRS", $"Must have at most {limit} entries.");
        return map => (ulong)map.Count <= limit ? null : broken;
    }

    private static BrokenRule Broken(string reason, FormattableString description) =>
        new(reason, description.ToString(CultureInfo.InvariantCulture));
}
