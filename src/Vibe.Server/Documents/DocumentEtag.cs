using System.Globalization;

namespace Vibe.Server.Documents;

/// <summary>Names a revision. Clients must not look inside.</summary>
internal static class DocumentEtag
{
    /// <summary>The etag of a revision.</summary>
    public static string Of(long revision) => string.Create(CultureInfo.InvariantCulture, $"r{revision}");

    /// <summary>The revision an etag names; 0, which no document has, for what is no etag; null when empty.</summary>
    public static long? Parse(string etag) =>
        etag.Length == 0 ? null
        : etag[0] == 'r' && long.TryParse(etag.AsSpan(1), NumberStyles.None, CultureInfo.InvariantCulture, out var revision) ? revision : 0;
}
