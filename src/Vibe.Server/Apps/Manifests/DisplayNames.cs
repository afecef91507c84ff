using System.Globalization;
using System.Text;

namespace Vibe.Server.Apps.Manifests;

/// <summary>
/// Names that people read before they decide: no name may look like another app's, or as if Vibe itself spoke
/// (Unicode TR 36 and TR 39).
/// </summary>
internal static class DisplayNames
{
    private const int MaxCodePoints = 60;
    private const int MaxMarks = 3;

    // The platform's name is looked for anywhere in a name, the others as words.
    private static readonly string Platform = Skeleton("vibe");

    private static readonly HashSet<string> Reserved = new(
        new[] { "support", "official", "admin", "administrator", "moderator", "staff", "verified", "system" }.Select(Skeleton), StringComparer.Ordinal);

    /// <summary>What is wrong with a display name; null when nothing is.</summary>
    public static string? Problem(string name)
    {
        if (ProblemOfText(name, MaxCodePoints) is { } problem)
        {
            return problem;
        }

        var skeleton = Skeleton(name);
        return skeleton.Length == 0 ? "has no letters or digits"
            : MixesAlphabets(name) ? "mixes alphabets whose letters look alike"
            : IsReserved(name) ? "could be taken for Vibe itself: leave out `Vibe`, and words as `support` and `official`"
            : null;
    }

    /// <summary>What is wrong with a text that people read; null when nothing is.</summary>
    public static string? ProblemOfText(string text, int maxCodePoints)
    {
        if (string.IsNullOrWhiteSpace(text) || char.IsWhiteSpace(text[0]) || char.IsWhiteSpace(text[^1]))
        {
            return "is empty, or begins or ends with a space";
        }

        var (count, marks) = (0, 0);
        foreach (var rune in text.EnumerateRunes())
        {
            count++;
            var category = Rune.GetUnicodeCategory(rune);
            // Format characters turn the direction of text, join what is apart, and are not seen.
            if (rune == Rune.ReplacementChar || category is UnicodeCategory.Control or UnicodeCategory.Format or UnicodeCategory.LineSeparator
                or UnicodeCategory.ParagraphSeparator or UnicodeCategory.PrivateUse or UnicodeCategory.Surrogate or UnicodeCategory.OtherNotAssigned)
            {
                return "has characters that are not seen or turn the text around";
            }

            marks = IsMark(category) ? marks + 1 : 0;
            if (marks > MaxMarks)
            {
                return "has heaps of accents";
            }
        }

        return count > maxCodePoints ? string.Create(CultureInfo.InvariantCulture, $"has more than {maxCodePoints} characters") : null;
    }

    /// <summary>The name with everything that looks alike made the same: names with one skeleton look alike.</summary>
    public static string Skeleton(string name)
    {
        var skeleton = new StringBuilder();
        foreach (var rune in name.EnumerateRunes())
        {
            foreach (var look in Confusables.LookOf(rune).EnumerateRunes().Where(Rune.IsLetterOrDigit))
            {
                skeleton.Append(look);
            }
        }

        return skeleton.Replace("rn", "m").Replace("vv", "w").ToString();
    }

    /// <summary>Whether the name could be taken for the platform's, or an authority's.</summary>
    public static bool IsReserved(string name)
    {
        // A name may speak of vibes.
        string[] words = [.. Words(name).Where(word => word != $"{Platform}s")];
        return string.Concat(words).Contains(Platform, StringComparison.Ordinal) || words.Any(Reserved.Contains) || Reserved.Contains(string.Concat(words));
    }

    // Words as they are read: apart by anything but letters and digits, or by a capital; single letters in a row are one.
    private static List<string> Words(string name)
    {
        List<string> words = [];
        var word = new StringBuilder();
        var (previous, wasSingle) = (default(Rune), false);
        foreach (var rune in name.EnumerateRunes().Append(new Rune(' ')))
        {
            // Signs that stand for letters (0fficial, $upport) do not part words.
            var isPart = Rune.IsLetterOrDigit(Confusables.LookOf(rune).EnumerateRunes().First()) || IsMark(Rune.GetUnicodeCategory(rune));
            if (word.Length > 0 && (!isPart || (Rune.IsUpper(rune) && Rune.IsLower(previous))))
            {
                var skeleton = Skeleton(word.ToString());
                if (wasSingle && skeleton.Length == 1)
                {
                    words[^1] += skeleton;
                }
                else if (skeleton.Length > 0)
                {
                    words.Add(skeleton);
                    wasSingle = skeleton.Length == 1;
                }

                word.Clear();
            }

            if (isPart)
            {
                word.Append(rune);
            }

            previous = rune;
        }

        return words;
    }

    private static bool MixesAlphabets(string name) => name.EnumerateRunes()
        .Where(Rune.IsLetter).Select(Confusables.AlphabetOf).Where(static alphabet => alphabet != Alphabet.Other).Distinct().Count() > 1;

    private static bool IsMark(UnicodeCategory category) =>
        category is UnicodeCategory.NonSpacingMark or UnicodeCategory.SpacingCombiningMark or UnicodeCategory.EnclosingMark;
}
