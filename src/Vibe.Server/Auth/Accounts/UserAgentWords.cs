namespace Vibe.Server.Auth.Accounts;

/// <summary>What browser and system a session runs on, in words people know. The header itself is not kept.</summary>
internal static class UserAgentWords
{
    // In this order: most browsers also claim to be the later ones.
    private static readonly (string Mark, string Name)[] Browsers =
    [
        ("Edg", "Edge"), ("OPR/", "Opera"), ("SamsungBrowser", "Samsung Internet"), ("Firefox/", "Firefox"), ("FxiOS", "Firefox"),
        ("CriOS", "Chrome"), ("Chrome/", "Chrome"), ("Safari/", "Safari"), ("curl/", "curl"),
    ];

    private static readonly (string Mark, string Name)[] Systems =
    [
        ("Android", "Android"), ("iPhone", "iPhone"), ("iPad", "iPad"), ("CrOS", "ChromeOS"), ("Windows", "Windows"),
        ("Macintosh", "macOS"), ("Linux", "Linux"),
    ];

    /// <summary>For example <c>Firefox on Linux</c>; empty when the header says nothing known.</summary>
    public static string Of(string header)
    {
        var (browser, system) = (Find(Browsers, header), Find(Systems, header));
        return (browser, system) switch
        {
            ("", _) => system,
            (_, "") => browser,
            _ => $"{browser} on {system}",
        };
    }

    private static string Find((string Mark, string Name)[] known, string header) =>
        known.FirstOrDefault(entry => header.Contains(entry.Mark, StringComparison.Ordinal)).Name ?? "";
}
