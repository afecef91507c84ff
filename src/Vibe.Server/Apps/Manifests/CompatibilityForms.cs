using System.Collections.Frozen;
using System.Text;

namespace Vibe.Server.Apps.Manifests;

/// <summary>
/// Forms of the Latin letters and digits that Unicode decomposes into them (NFKD): with accents, fullwidth, mathematical,
/// circled, raised. The server runs without ICU, and so without the tables of normalization; and a name must have one skeleton
/// whatever version of them a machine has.
/// </summary>
internal static class CompatibilityForms
{
    // The plain form, a space, and what decomposes into it.
    private static readonly string[] Table =
    [
        "a ªÀÁÂÃÄÅàáâãäåĀāĂăĄąǍǎǞǟǠǡǺǻȀȁȂȃȦȧᴬᵃḀḁẠạẢảẤấẦầẨẩẪẫẬậẮắẰằẲẳẴẵẶặₐÅ🄐🄰",
        "b ᴮᵇḂḃḄḅḆḇℬ🄑🄱",
        "c ÇçĆćĈĉĊċČčᶜḈḉℂ℃ℭⅭⅽꟲ🄒🄫🄲",
        "d ĎďᴰᵈḊḋḌḍḎḏḐḑḒḓⅅⅆⅮⅾ🄓🄳",
        "e ÈÉÊËèéêëĒēĔĕĖėĘęĚěȄȅȆȇȨȩᴱᵉḔḕḖḗḘḙḚḛḜḝẸẹẺẻẼẽẾếỀềỂểỄễỆệₑℯℰⅇ🄔🄴",
        "f ᶠḞḟ℉ℱꟳ🄕🄵",
        "g ĜĝĞğĠġĢģǦǧǴǵᴳᵍḠḡℊ🄖🄶",
        "h ĤĥȞȟʰᴴḢḣḤḥḦḧḨḩḪḫẖₕℋℌℍℎ🄗🄷",
        "i ÌÍÎÏìíîïĨĩĪīĬĭĮįİǏǐȈȉȊȋᴵᵢḬḭḮḯỈỉỊịⁱℐℑℹⅈⅠⅰ🄘🄸",
        "j Ĵĵǰʲᴶⅉⱼ🄙🄹",
        "k ĶķǨǩᴷᵏḰḱḲḳḴḵₖK🄚🄺",
        "l ĹĺĻļĽľĿŀˡᴸḶḷḸḹḺḻḼḽₗℒℓⅬⅼ🄛🄻",
        "m ᴹᵐḾḿṀṁṂṃₘℳⅯⅿ🄜🄼",
        "n ÑñŃńŅņŇňǸǹᴺṄṅṆṇṈṉṊṋⁿₙℕ🄝🄽",
        "o ºÒÓÔÕÖòóôõöŌōŎŏŐőƠơǑǒǪǫǬǭȌȍȎȏȪȫȬȭȮȯȰȱᴼᵒṌṍṎṏṐṑṒṓỌọỎỏỐốỒồỔổỖỗỘộỚớỜờỞởỠỡỢợₒℴ🄞🄾",
        "p ᴾᵖṔṕṖṗₚℙ🄟🄿",
        "q ℚꟴ🄠🅀",
        "r ŔŕŖŗŘřȐȑȒȓʳᴿᵣṘṙṚṛṜṝṞṟℛℜℝ🄡🄬🅁",
        "s ŚśŜŝŞşŠšſȘșˢṠṡṢṣṤṥṦṧṨṩẛₛ🄢🄪🅂",
        "t ŢţŤťȚțᵀᵗṪṫṬṭṮṯṰṱẗₜ🄣🅃",
        "u ÙÚÛÜùúûüŨũŪūŬŭŮůŰűŲųƯưǓǔǕǖǗǘǙǚǛǜȔȕȖȗᵁᵘᵤṲṳṴṵṶṷṸṹṺṻỤụỦủỨứỪừỬửỮữỰự🄤🅄",
        "v ᵛᵥṼṽṾṿⅤⅴⱽ🄥🅅",
        "w ŴŵʷᵂẀẁẂẃẄẅẆẇẈẉẘ🄦🅆",
        "x ˣẊẋẌẍₓⅩⅹ🄧🅇",
        "y ÝýÿŶŷŸȲȳʸẎẏẙỲỳỴỵỶỷỸỹ🄨🅈",
        "z ŹźŻżŽžᶻẐẑẒẓẔẕℤℨ🄩🅉",
        "0 ⁰₀⓪🄀🄁",
        "1 ¹₁⅟①⑴⒈🄂",
        "2 ²₂②⑵⒉🄃",
        "3 ³₃③⑶⒊🄄",
        "4 ⁴₄④⑷⒋🄅",
        "5 ⁵₅⑤⑸⒌🄆",
        "6 ⁶₆⑥⑹⒍🄇",
        "7 ⁷₇⑦⑺⒎🄈",
        "8 ⁸₈⑧⑻⒏🄉",
        "9 ⁹₉⑨⑼⒐🄊",
        "ij Ĳĳ",
        "dz ǄǅǆǱǲǳ",
        "lj Ǉǈǉ",
        "nj Ǌǋǌ",
        "ff ﬀ",
        "fi ﬁ",
        "fl ﬂ",
        "ffi ﬃ",
        "ffl ﬄ",
        "st ﬅﬆ",
    ];

    // Alphabets in a row: the first and last of their letters, how many letters a round has, and the first of them.
    private static readonly (int First, int Last, int Round, string Letters)[] Rows =
    [
        (0xFF10, 0xFF19, 10, "0123456789"), (0xFF21, 0xFF3A, 26, Capitals), (0xFF41, 0xFF5A, 26, Small), (0x249C, 0x24B5, 26, Small),
        (0x24B6, 0x24CF, 26, Capitals), (0x24D0, 0x24E9, 26, Small), (0x1D400, 0x1D6A3, 52, Capitals + Small), (0x1D7CE, 0x1D7FF, 10, "0123456789"),
        (0x1F150, 0x1F169, 26, Capitals), (0x1F170, 0x1F189, 26, Capitals), (0x1F1E6, 0x1F1FF, 26, Capitals),
    ];

    private const string Capitals = "ABCDEFGHIJKLMNOPQRSTUVWXYZ";
    private const string Small = "abcdefghijklmnopqrstuvwxyz";

    private static readonly FrozenDictionary<Rune, string> Forms = Read();

    /// <summary>The plain letters of a form; null when it is none.</summary>
    public static string? PlainOf(Rune rune)
    {
        if (Forms.TryGetValue(rune, out var plain))
        {
            return plain;
        }

        foreach (var (first, last, round, letters) in Rows)
        {
            if (rune.Value >= first && rune.Value <= last)
            {
                return letters[(rune.Value - first) % round].ToString();
            }
        }

        return null;
    }

    private static FrozenDictionary<Rune, string> Read()
    {
        var forms = new Dictionary<Rune, string>();
        foreach (var row in Table)
        {
            var gap = row.IndexOf(' ', StringComparison.Ordinal);
            foreach (var rune in row[(gap + 1)..].EnumerateRunes())
            {
                forms.TryAdd(rune, row[..gap]);
            }
        }

        return forms.ToFrozenDictionary();
    }
}
