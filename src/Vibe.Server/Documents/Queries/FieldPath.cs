using System.Collections.Immutable;
using System.Text;

namespace Vibe.Server.Documents.Queries;

/// <summary>The fields of a document besides its body.</summary>
internal enum CoreField
{
    /// <summary>None of them: a path into the body.</summary>
    None,
    Id,
    Collection,
    Owner,
    App,
    Key,
    CreateTime,
    UpdateTime,
    Revision,
}

/// <summary>One field of a document: a core field, or <c>data</c> followed by keys. Equal when the canonical text is.</summary>
internal sealed class FieldPath : IEquatable<FieldPath>
{
    private static readonly Dictionary<string, FieldPath> Core = new(StringComparer.Ordinal)
    {
        ["id"] = new(CoreField.Id, "id"),
        ["collection"] = new(CoreField.Collection, "collection"),
        ["owner"] = new(CoreField.Owner, "owner"),
        ["app"] = new(CoreField.App, "app"),
        ["key"] = new(CoreField.Key, "key"),
        ["create_time"] = new(CoreField.CreateTime, "create_time"),
        ["update_time"] = new(CoreField.UpdateTime, "update_time"),
        ["revision"] = new(CoreField.Revision, "revision"),
    };

    private FieldPath(CoreField core, string text)
    {
        CoreField = core;
        Text = text;
        Keys = [];
        Utf8Keys = [];
    }

    private FieldPath(ImmutableArray<string> keys)
    {
        Keys = keys;
        Utf8Keys = [.. keys.Select(Encoding.UTF8.GetBytes)];
        Text = Print(keys);
    }

    /// <summary>When the document was created.</summary>
    public static FieldPath CreateTime => Core["create_time"];

    /// <summary>Which core field; <see cref="CoreField.None"/> for a path into the body.</summary>
    public CoreField CoreField { get; }

    /// <summary>The keys after <c>data</c>; empty for a core field.</summary>
    public ImmutableArray<string> Keys { get; }

    /// <summary>The same in UTF-8.</summary>
    public ImmutableArray<byte[]> Utf8Keys { get; }

    /// <summary>The canonical text, also the name of the field's index: backquotes only where they are needed.</summary>
    public string Text { get; }

    /// <summary>Whether the field is a time.</summary>
    public bool IsTime => CoreField is CoreField.CreateTime or CoreField.UpdateTime;

    /// <summary>The field that starts with the given name and goes on with the given keys.</summary>
    /// <exception cref="FormatException">There is no such field; the message says why.</exception>
    public static FieldPath Of(string first, ImmutableArray<string> keys)
    {
        if (first == "data")
        {
            return keys.Length switch
            {
                0 => throw new FormatException("`data` needs a path: `data.title`"),
                > QueryLimits.PathKeys => throw new FormatException($"a path has at most {QueryLimits.PathKeys} keys"),
                _ => Checked(new FieldPath(keys)),
            };
        }

        if (!Core.TryGetValue(first, out var field))
        {
            throw new FormatException($"no field is called `{first}`; fields are `data.…`, {Names}");
        }

        return keys.IsEmpty ? field : throw new FormatException($"`{first}` has no fields of its own");
    }

    /// <inheritdoc/>
    public bool Equals(FieldPath? other) => other is not null && other.Text == Text;

    /// <inheritdoc/>
    public override bool Equals(object? obj) => Equals(obj as FieldPath);

    /// <inheritdoc/>
    public override int GetHashCode() => string.GetHashCode(Text, StringComparison.Ordinal);

    /// <inheritdoc/>
    public override string ToString() => Text;

    /// <summary>Whether a key may stand without backquotes: <c>[A-Za-z_][A-Za-z0-9_]*</c>.</summary>
    public static bool IsPlain(ReadOnlySpan<char> key)
    {
        if (key.IsEmpty || !IsNameStart(key[0]))
        {
            return false;
        }

        foreach (var c in key)
        {
            if (!IsNamePart(c))
            {
                return false;
            }
        }

        return true;
    }

    /// <summary>Whether a plain key may start with the character.</summary>
    public static bool IsNameStart(char c) => char.IsAsciiLetter(c) || c == '_';

    /// <summary>Whether a plain key may go on with the character.</summary>
    public static bool IsNamePart(char c) => char.IsAsciiLetterOrDigit(c) || c == '_';

    private static string Names => string.Join(", ", Core.Keys.Select(name => $"`{name}`"));

    private static FieldPath Checked(FieldPath path) =>
        Encoding.UTF8.GetByteCount(path.Text) <= QueryLimits.FieldBytes
            ? path
            : throw new FormatException($"a field has at most {QueryLimits.FieldBytes} bytes");

    private static string Print(ImmutableArray<string> keys)
    {
        var text = new StringBuilder("data");
        foreach (var key in keys)
        {
            text.Append('.');
            if (IsPlain(key))
            {
                text.Append(key);
            }
            else
            {
                text.Append('`').Append(key).Replace("`", "``", text.Length - key.Length, key.Length).Append('`');
            }
        }

        return text.ToString();
    }
}
