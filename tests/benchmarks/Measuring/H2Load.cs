using System.Globalization;
using System.Text.RegularExpressions;

namespace Vibe.Benchmarks.Measuring;

/// <summary>One kind of call for h2load (package nghttp2-client): always the same body.</summary>
/// <param name="Url">Where to.</param>
/// <param name="BodyFile">A file with the body; its presence makes the call a POST.</param>
/// <param name="Headers">More headers, <c>name: value</c>.</param>
internal sealed record H2Load(string Url, string BodyFile, params string[] Headers)
{
    /// <summary>Over HTTP/1.1: as many connections as there would be streams.</summary>
    public bool IsHttp1 { get; init; }

    /// <summary>Sends calls as fast as they are answered.</summary>
    /// <returns>Calls answered with a 2xx status, and the time they took.</returns>
    public async Task<(long Calls, double PerSecond)> RunAsync(int connections, int streams, TimeSpan duration)
    {
        string[] arguments =
        [
            "-t1", "-D", Math.Ceiling(duration.TotalSeconds).ToString(CultureInfo.InvariantCulture), "-d", BodyFile,
            .. IsHttp1 ? [$"-c{connections * streams}", "--h1"] : (string[])[$"-c{connections}", $"-m{streams}"],
            .. Headers.SelectMany(static header => (string[])["-H", header]), Url,
        ];
        var output = await ServerProcess.RunAsync("h2load", arguments);
        var counts = Regex.Match(output, @"requests: (?<total>\d+) total, .* (?<succeeded>\d+) succeeded, (?<failed>\d+) failed", RegexOptions.ExplicitCapture, TimeSpan.FromSeconds(1));
        if (!counts.Success || counts.Groups["failed"].Value != "0" || counts.Groups["succeeded"].Value == "0")
        {
            throw new InvalidOperationException($"h2load {string.Join(' ', arguments)} failed:\n{output}");
        }

        var calls = long.Parse(counts.Groups["succeeded"].Value, CultureInfo.InvariantCulture);
        return (calls, calls / duration.TotalSeconds);
    }

    /// <summary>A body of gRPC: the message after its prefix of five bytes.</summary>
    public static byte[] GrpcFrame(ReadOnlySpan<byte> message) =>
        [0, (byte)(message.Length >> 24), (byte)(message.Length >> 16), (byte)(message.Length >> 8), (byte)message.Length, .. message];
}
