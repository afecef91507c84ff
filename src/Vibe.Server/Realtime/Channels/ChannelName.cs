using System.Text.RegularExpressions;
using Vibe.Server.Documents;
using Vibe.Server.Kernel;

namespace Vibe.Server.Realtime.Channels;

/// <summary>Which channel, for a caller.</summary>
/// <param name="Text">As the caller says it.</param>
/// <param name="Key">What it is among all channels: a name of an app is another one in each app.</param>
/// <param name="Document">The document it belongs to; null for a channel of an app.</param>
internal sealed partial record ChannelName(string Text, string Key, Guid? Document)
{
    private const string DocumentPrefix = "document:";
    private const string AppPrefix = "app:";

    /// <summary>Reads a name.</summary>
    /// <exception cref="Grpc.Core.RpcException">INVALID_ARGUMENT, or NOT_FOUND for a channel of an app without one.</exception>
    public static ChannelName Read(string text, Caller caller)
    {
        if (text.StartsWith(DocumentPrefix, StringComparison.Ordinal) && DocumentId.TryParse(text[DocumentPrefix.Length..], out var id))
        {
            return new ChannelName(text, text, id);
        }

        if (!text.StartsWith(AppPrefix, StringComparison.Ordinal) || !Name.IsMatch(text.AsSpan(AppPrefix.Length)))
        {
            throw VibeError.InvalidField("channel", "is not of the form document:<id> or app:<name>", "channel.name");
        }

        return caller.App is { } app ? new ChannelName(text, $"{text} {app}", null) : throw RealtimeErrors.ChannelNotFound(text);
    }

    [GeneratedRegex(@"^[A-Za-z0-9._:-]{1,128}\z", RegexOptions.CultureInvariant | RegexOptions.ExplicitCapture | RegexOptions.NonBacktracking)]
    private static partial Regex Name { get; }
}
