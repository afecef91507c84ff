namespace Vibe.Client;

/// <summary>What conditions can say beyond C#'s own operators; only inside of <see cref="Query{T}.Where(System.Linq.Expressions.Expression{Func{T, bool}})"/>.</summary>
public static class VibeFilter
{
    /// <summary>The text has every one of these words; ASCII letters match in either case.</summary>
    /// <param name="field">A text of the document.</param>
    /// <param name="words">The words.</param>
    /// <exception cref="NotSupportedException">It is called outside of a condition.</exception>
    public static bool Match(string? field, string words) => throw Outside();

    /// <summary>The field is there, whatever its value, null too.</summary>
    /// <param name="field">A field of the document.</param>
    /// <exception cref="NotSupportedException">It is called outside of a condition.</exception>
    public static bool Exists(object? field) => throw Outside();

    private static NotSupportedException Outside() => new("VibeFilter says something to the server, and computes nothing here.");
}
