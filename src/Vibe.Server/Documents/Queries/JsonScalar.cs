using System.Text;

namespace Vibe.Server.Documents.Queries;

/// <summary>What a <see cref="JsonScalar"/> is.</summary>
internal enum ScalarKind
{
    Null,
    Bool,
    Number,
    Text,

    /// <summary>A time, for the core fields that are times.</summary>
    Time,
}

/// <summary>A value a field is compared with.</summary>
internal sealed class JsonScalar
{
    /// <summary>The JSON null.</summary>
    public static readonly JsonScalar Null = new() { Kind = ScalarKind.Null };

    private static readonly JsonScalar True = new() { Kind = ScalarKind.Bool, Bool = true };

    private static readonly JsonScalar False = new() { Kind = ScalarKind.Bool };

    /// <summary>What it is; the other properties mean something only for their kind.</summary>
    public required ScalarKind Kind { get; init; }

    /// <summary>The bool.</summary>
    public bool Bool { get; private init; }

    /// <summary>The number: finite, never the negative zero.</summary>
    public double Number { get; private init; }

    /// <summary>The string: well-formed, without U+0000.</summary>
    public string Text { get; private init; } = "";

    /// <summary>The string in UTF-8, in which order by code point is order by byte.</summary>
    public byte[] Utf8 { get; private init; } = [];

    /// <summary>The time in microseconds since the Unix epoch.</summary>
    public long Microseconds { get; private init; }

    /// <summary>A bool.</summary>
    public static JsonScalar Of(bool value) => value ? True : False;

    /// <summary>A number.</summary>
    /// <exception cref="FormatException">The number is not finite.</exception>
    public static JsonScalar Of(double value) => double.IsFinite(value)
        ? new() { Kind = ScalarKind.Number, Number = value == 0 ? 0 : value }
        : throw new FormatException("the number is out of the range of a double");

    /// <summary>A string.</summary>
    /// <exception cref="FormatException">The string is too long, not well-formed, or contains U+0000.</exception>
    public static JsonScalar Of(string value)
    {
        if (CodePoints.ProblemOf(value) is { } problem)
        {
            throw new FormatException(problem);
        }

        var utf8 = Encoding.UTF8.GetBytes(value);
        return utf8.Length <= QueryLimits.TextBytes
            ? new() { Kind = ScalarKind.Text, Text = value, Utf8 = utf8 }
            : throw new FormatException($"a string has at most {QueryLimits.TextBytes} bytes");
    }

    /// <summary>A time.</summary>
    public static JsonScalar OfTime(long microseconds) => new() { Kind = ScalarKind.Time, Microseconds = microseconds };
}
