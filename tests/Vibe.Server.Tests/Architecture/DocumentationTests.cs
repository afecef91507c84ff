using System.Text.RegularExpressions;

namespace Vibe.Server.Tests.Architecture;

/// <summary>What the documents name is there.</summary>
public sealed class DocumentationTests
{
    [Fact]
    public void Every_test_that_a_guarantee_names_exists()
    {
        var tests = Repository.Sources("tests").SelectMany(file =>
            Regex.Matches(file.Text, @"(?:Fact|Theory)\b[^{;]*?\b(?:void|Task) (?<name>\w+)\(", RegexOptions.ExplicitCapture)
                .Select(match => $"{Path.GetFileNameWithoutExtension(file.Path)}.{match.Groups["name"].Value}")).ToHashSet(StringComparer.Ordinal);
        var named = Regex.Matches(Read("docs/guarantees.md"), @"`(\w+Tests\.\w+)`").Select(match => match.Groups[1].Value).ToList();

        Assert.NotEmpty(named);
        Assert.All(named, name => Assert.Contains(name, tests));
    }

    [Fact]
    public void Every_suite_that_a_guarantee_names_is_there()
    {
        var named = Regex.Matches(Read("docs/guarantees.md"), @"`((?:tests|sdks)/[^` ]+)`").Select(match => match.Groups[1].Value).ToList();

        Assert.NotEmpty(named);
        Assert.All(named, path => Assert.True(Path.Exists(Path.Combine(Repository.Root, path)), path));
    }

    [Fact]
    public void Every_reason_of_the_runtime_is_in_the_protocol()
    {
        var protocol = Read("docs/protocol.md");
        var reasons = Repository.Sources("src/Vibe.Rpc")
            .Where(file => Regex.IsMatch(file.Path, @"/(WireErrors|RestErrors|JsonErrorReason|HealthService)\.cs$"))
            .SelectMany(file => Regex.Matches(file.Text, "\"([A-Z][A-Z0-9]+(?:_[A-Z0-9]+)*)\"").Select(match => match.Groups[1].Value)).ToList();

        Assert.Contains("SHUTTING_DOWN", reasons);
        Assert.All(reasons, reason => Assert.Contains($"`{reason}`", protocol, StringComparison.Ordinal));
    }

    [Fact]
    public void Links_between_documents_lead_somewhere()
    {
        var documents = Directory.EnumerateFiles(Path.Combine(Repository.Root, "docs"), "*.md", SearchOption.AllDirectories)
            .Append(Path.Combine(Repository.Root, "README.md"));
        var broken = documents.SelectMany(document => Regex.Matches(File.ReadAllText(document), @"\]\((?!https?:|#)([^)#]+)")
            .Select(match => Path.Combine(Path.GetDirectoryName(document)!, match.Groups[1].Value))
            .Where(target => !Path.Exists(target)));
        Assert.Empty(broken);
    }

    private static string Read(string path) => File.ReadAllText(Path.Combine(Repository.Root, path));
}
