using Vibe.Server.Apps.Manifests;

namespace Vibe.Server.Tests.Apps;

/// <summary>Names that deceive (facts: look-alike names of apps).</summary>
public sealed class DisplayNameTests
{
    [Theory]
    [InlineData("Vibe")]
    [InlineData("Vibe Support")]
    [InlineData("vibesupport")]
    [InlineData("V1be")]
    [InlineData("V I B E")]
    [InlineData("\u0475\u0456\u0431\u0435")] // Cyrillic, all of it
    [InlineData("\uff36\uff49\uff42\uff45")] // fullwidth
    [InlineData("\ud835\udc15\ud835\udc22\ud835\udc1b\ud835\udc1e")] // mathematical
    [InlineData("Vi\u0301be")]
    [InlineData("Ⓥⓘⓑⓔ")]
    [InlineData("The Vibe Team")]
    [InlineData("Official Notes")]
    [InlineData("OfficialNotes")]
    [InlineData("0fficial Notes")]
    [InlineData("O f f i c i a l")]
    [InlineData("Notes Support")]
    [InlineData("$upport desk")]
    [InlineData("Your Admin")]
    public void A_name_that_could_be_taken_for_the_platform_is_refused(string name) => Assert.NotNull(DisplayNames.Problem(name));

    [Theory]
    [InlineData("Not\u0435s")] // a Cyrillic e in a Latin word
    [InlineData("\u03a0ayments \u0430\u0441me")]
    [InlineData("Notes\u202egnp.")] // turns the text around
    [InlineData("No\u200btes")] // not seen
    [InlineData("Notes\n")]
    [InlineData("Notes\u0007")]
    [InlineData(" Notes")]
    [InlineData("")]
    [InlineData("\u2728\u2728")] // nothing to read
    [InlineData("Z\u0300\u0301\u0302\u0303alt")]
    [InlineData("Note\ue000")] // private use
    public void A_name_that_does_not_read_as_it_is_written_is_refused(string name) => Assert.NotNull(DisplayNames.Problem(name));

    [Theory]
    [InlineData("Notes")]
    [InlineData("Good Vibes Radio")]
    [InlineData("Фото на память")]
    [InlineData("写真 Photos")]
    [InlineData("योग Yoga")]
    [InlineData("Café Zoë 24/7")]
    [InlineData("Supportive Friends")]
    [InlineData("Systematic")]
    [InlineData("Tasks ✨")]
    public void An_honest_name_is_taken(string name) => Assert.Null(DisplayNames.Problem(name));

    [Theory]
    [InlineData("Paypal", "PayPa1")]
    [InlineData("Paypal", "Pаyраl")]
    [InlineData("Modern Notes", "Modem Notes")]
    [InlineData("Notes", "N0TES!")]
    [InlineData("Illumine", "lllumine")]
    [InlineData("scope", "ѕсоре")]
    public void Names_that_look_alike_have_one_skeleton(string one, string other) =>
        Assert.Equal(DisplayNames.Skeleton(one), DisplayNames.Skeleton(other));

    [Theory]
    [InlineData("Notes", "Nodes")]
    [InlineData("Notes 2", "Notes 3")]
    [InlineData("Radio 6", "Radio 8")]
    public void Names_that_differ_have_two(string one, string other) => Assert.NotEqual(DisplayNames.Skeleton(one), DisplayNames.Skeleton(other));
}
