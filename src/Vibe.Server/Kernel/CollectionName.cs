using System.Buffers;

namespace Vibe.Server.Kernel;

/// <summary>The form of a collection's name: <c>^[a-z][a-z0-9._-]{0,127}$</c>.</summary>
internal static class CollectionName
{
    private static readonly SearchValues<char> Tail = SearchValues.Create("abcdefghijklmnopqrstuvwxyz0123456789._-");

    /// <summary>Whether the name has the form.</summary>
    public static bool IsValid(ReadOnlySpan<char> name) =>
        name.Length is > 0 and <= 128 && char.IsAsciiLetterLower(name[0]) && !name[1..].ContainsAnyExcept(Tail);
}
