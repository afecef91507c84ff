using System.Collections.Frozen;
using System.Text;

namespace Vibe.Server.Apps.Manifests;

/// <summary>
/// Letters and digits that look like others, and which alphabet a letter is of: the part of Unicode TR 39 that names of apps
/// need, not all of its ten thousand pairs.
/// </summary>
internal static class Confusables
{
    // For each Latin letter what is taken for it. I, l and 1 are one, so i is l.
    private static readonly string[] Table =
    [
        "a АаΑαάɑ4@Ꭺ", "b ВЬЪвьбΒβɓʙ8Ᏼ", "c СсςϲϹᏟ", "d ԁԀɖɗᎠðđ", "e ЕеЁёΕεέ3ЄєᴇᎬ€", "f ƒғҒϜ", "g ɡցԌᏀɢ", "h НнΗһҺհħʜᎻ", "j Јјȷյ",
        "k КкΚκᏦĸ", "l ІіιίΙΪΊіїЇӀӏI1|ıɩɪլłʟᏞᏓ£", "m МмΜᎷʍ", "n ΝηήПпոռŋɴИиЙй", "o ОоΟοόσ0օøՕᏫ", "p РрΡρþᏢ", "q ԛԚգզ", "r ГгʀᎡɾ",
        "s Ѕѕ5$ՏᏚꜱß", "t ТтΤτ7ŧᎢ", "u υύսՍцЦʊμ", "v νѵѴᏙᴠʋ", "w ωώѡшШԝԜᏔɯա", "x ХхΧχ", "y УуΥγүҮʏƴЎў", "z ΖζᏃʐ2ʑ",
    ];

    private static readonly FrozenDictionary<Rune, char> Looks = Read();

    private static readonly (int First, int Last, Alphabet Alphabet)[] Blocks =
    [
        (0x0041, 0x02AF, Alphabet.Latin), (0x1D00, 0x1D7F, Alphabet.Latin), (0x1E00, 0x1EFF, Alphabet.Latin), (0x2C60, 0x2C7F, Alphabet.Latin),
        (0xA720, 0xA7FF, Alphabet.Latin), (0xFF21, 0xFF5A, Alphabet.Latin), (0x1D400, 0x1D6A3, Alphabet.Latin), (0x0370, 0x03FF, Alphabet.Greek), (0x1F00, 0x1FFF, Alphabet.Greek), (0x0400, 0x052F, Alphabet.Cyrillic),
        (0x1C80, 0x1C8F, Alphabet.Cyrillic), (0x2DE0, 0x2DFF, Alphabet.Cyrillic), (0xA640, 0xA69F, Alphabet.Cyrillic),
        (0x0530, 0x058F, Alphabet.Armenian), (0x10A0, 0x10FF, Alphabet.Georgian), (0x13A0, 0x13FF, Alphabet.Cherokee), (0xAB70, 0xABBF, Alphabet.Cherokee),
    ];

    /// <summary>The Latin letters that a letter or sign is taken for, in lower case; itself when there are none.</summary>
    public static string LookOf(Rune rune)
    {
        var plain = CompatibilityForms.PlainOf(rune) ?? rune.ToString();
        return string.Concat(plain.EnumerateRunes().Select(static part => LookOfPlain(part)));
    }

    /// <summary>The alphabet a letter is of, among those whose letters look like others'.</summary>
    public static Alphabet AlphabetOf(Rune letter)
    {
        foreach (var (first, last, alphabet) in Blocks)
        {
            if (letter.Value >= first && letter.Value <= last)
            {
                return alphabet;
            }
        }

        return Alphabet.Other;
    }

    // Twice: a capital may look like another letter than its small form.
    private static string LookOfPlain(Rune rune)
    {
        var small = Rune.ToLowerInvariant(Looks.TryGetValue(rune, out var look) ? new Rune(look) : rune);
        return Looks.TryGetValue(small, out look) ? look.ToString() : small.ToString();
    }

    private static FrozenDictionary<Rune, char> Read()
    {
        var looks = new Dictionary<Rune, char> { [new Rune('i')] = 'l' };
        foreach (var row in Table)
        {
            foreach (var rune in row[2..].EnumerateRunes())
            {
                looks.TryAdd(rune, row[0]);
            }
        }

        return looks.ToFrozenDictionary();
    }
}

/// <summary>Alphabets with letters that look like those of another one.</summary>
internal enum Alphabet
{
    /// <summary>None of them: may stand beside each.</summary>
    Other,
    Latin,
    Greek,
    Cyrillic,
    Armenian,
    Georgian,
    Cherokee,
}
