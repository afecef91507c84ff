using System.Text;
using System.Text.RegularExpressions;

namespace Vibe.Server.Commands;

/// <summary>Reads the mails this server writes: one text each, as it is, in quoted-printable or in base64 (RFC 2045 section 6).</summary>
internal static partial class MailText
{
    /// <summary>The lines To, Date and Subject, and the text.</summary>
    public static string Read(string mail)
    {
        var lines = mail.ReplaceLineEndings("\n");
        var end = lines.IndexOf("\n\n", StringComparison.Ordinal);
        var (head, body) = end < 0 ? (lines, "") : (lines[..end], lines[(end + 2)..]);
        var shown = head.Split('\n').Where(static line => Shown.IsMatch(line)).Select(DecodeWords);
        return $"{string.Join('\n', shown)}\n\n{DecodeBody(head, body)}";
    }

    private static string DecodeBody(string head, string body) =>
        head.Contains("Content-Transfer-Encoding: base64", StringComparison.OrdinalIgnoreCase) ? Encoding.UTF8.GetString(Convert.FromBase64String(body))
        : head.Contains("Content-Transfer-Encoding: quoted-printable", StringComparison.OrdinalIgnoreCase)
            ? Unquote(body.Replace("=\n", "", StringComparison.Ordinal))
        : body;

    // RFC 2047, as the framework writes subjects.
    private static string DecodeWords(string line) => Words.Replace(line, static word => word.Groups["kind"].Value is "B" or "b"
        ? Encoding.UTF8.GetString(Convert.FromBase64String(word.Groups["text"].Value))
        : Unquote(word.Groups["text"].Value.Replace('_', ' ')));

    private static string Unquote(string text) =>
        Encoding.UTF8.GetString([.. Escapes.Split(text).SelectMany(static (part, place) => place % 2 == 0 ? Encoding.UTF8.GetBytes(part) : [Convert.ToByte(part, 16)])]);

    [GeneratedRegex("^(To|Date|Subject): ", RegexOptions.IgnoreCase | RegexOptions.ExplicitCapture)]
    private static partial Regex Shown { get; }

    [GeneratedRegex(@"=\?utf-8\?(?<kind>[BbQq])\?(?<text>[^?]*)\?=", RegexOptions.IgnoreCase | RegexOptions.ExplicitCapture)]
    private static partial Regex Words { get; }

    [GeneratedRegex("=(?<hex>[0-9A-F]{2})", RegexOptions.ExplicitCapture)]
    private static partial Regex Escapes { get; }
}
