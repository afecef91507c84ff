using System.Text.RegularExpressions;

namespace Vibe.Client.Filters;

/// <summary>A field of a document: a core field, or <c>data</c> and the keys after it.</summary>
/// <param name="Core">The core field by its name in text; null for one of the body.</param>
/// <param name="Keys">The keys after <c>data</c>.</param>
internal sealed partial record FieldPath(string? Core, IReadOnlyList<string> Keys)
{
    public static readonly FieldPath Body = new(null, []);

    public static readonly FieldPath CreateTime = new("create_time", []);

    public static readonly FieldPath Id = new("id", []);

    public bool IsTime => Core is "create_time" or "update_time";

    /// <summary>The field below this one.</summary>
    public FieldPath Below(string key) => this with { Keys = [.. Keys, key] };

    /// <inheritdoc/>
    public override string ToString() => Core ?? string.Join('.', Keys.Select(static key =>
        PlainName().IsMatch(key) ? key : $"`{key.Replace("`", "``", StringComparison.Ordinal)}`").Prepend("data"));

    [GeneratedRegex("^[A-Za-z_][A-Za-z0-9_]*$", RegexOptions.CultureInvariant)]
    private static partial Regex PlainName();
}

/// <summary>One key to order by.</summary>
/// <param name="Field">The field.</param>
/// <param name="Descending">Largest first.</param>
internal sealed record OrderKey(FieldPath Field, bool Descending)
{
    /// <inheritdoc/>
    public override string ToString() => Descending ? $"{Field} desc" : Field.ToString();
}
