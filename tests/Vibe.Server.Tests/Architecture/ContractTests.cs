using System.Text.RegularExpressions;
using Vibe.Documents.V1;
using Vibe.Errors.V1;
using Vibe.Server.Pipeline;

namespace Vibe.Server.Tests.Architecture;

/// <summary>What the contract promises is in the code.</summary>
public sealed class ContractTests
{
    [Fact]
    public void Every_method_declares_its_permission() =>
        Assert.Equal(DocumentsService.Descriptor.Methods.Count, MethodPolicy.ReadAll([DocumentsService.Descriptor]).Count);

    [Fact]
    public void Every_error_reason_is_raised_somewhere()
    {
        var source = string.Concat(Repository.Sources("src").Select(file => file.Text));
        var unused = Enum.GetValues<ErrorReason>()
            .Where(reason => reason is not ErrorReason.Unspecified && !Regex.IsMatch(source, $@"ErrorReason\.{reason}\b"));
        Assert.Empty(unused);
    }

    [Fact]
    public void Log_events_have_numbers_of_their_own()
    {
        var numbers = Repository.Sources("src")
            .SelectMany(file => Regex.Matches(file.Text, @"\[LoggerMessage\((?:EventId *= *)?(\d+)").Select(match => (file.Path, Number: match.Groups[1].Value)));
        var shared = numbers.GroupBy(entry => entry.Number, StringComparer.Ordinal).Where(group => group.Count() > 1)
            .Select(group => $"{group.Key}: {string.Join(", ", group.Select(entry => entry.Path))}");
        Assert.Empty(shared);
    }
}
