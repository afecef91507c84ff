using System.Globalization;
using System.Text;
using Vibe.Server.Kernel;

namespace Vibe.Server.Auth.Accounts;

/// <summary>What people are called. Free text, without what would make a page lie about where it ends or how it reads.</summary>
internal static class PersonNames
{
    private const int MaxBytes = 120;
    private const int Joiner = 0x200D;
    private const int NonJoiner = 0x200C;

    /// <summary>The name without white space around it.</summary>
    /// <exception cref="Grpc.Core.RpcException">INVALID_ARGUMENT: over 120 bytes, or with characters that cannot be seen.</exception>
    public static string Read(string? text, string field)
    {
        var name = (text ?? "").Trim();
        if (Encoding.UTF8.GetByteCount(name) > MaxBytes)
        {
            throw VibeError.InvalidField(field, $"has at most {MaxBytes} bytes", "displayName.size");
        }

        return name.EnumerateRunes().All(IsVisible)
            ? name
            : throw VibeError.InvalidField(field, "has characters that cannot be seen", "displayName.characters");
    }

    // Format characters turn text around (U+202E); the two joiners are part of how some languages, and emoji, are written.
    private static bool IsVisible(Rune rune) => rune.Value is Joiner or NonJoiner || Rune.GetUnicodeCategory(rune) is not (
        UnicodeCategory.Control or UnicodeCategory.Format or UnicodeCategory.LineSeparator or UnicodeCategory.ParagraphSeparator
        or UnicodeCategory.PrivateUse or UnicodeCategory.OtherNotAssigned) && rune != Rune.ReplacementChar;
}
