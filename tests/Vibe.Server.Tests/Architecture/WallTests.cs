using System.Reflection;
using System.Text.RegularExpressions;

namespace Vibe.Server.Tests.Architecture;

/// <summary>Who may use whom.</summary>
public sealed partial class WallTests
{
    // Features know the kernel, the pipeline's caller and the platform below, and each other only where it says so: live
    // queries are queries over documents.
    private static readonly Dictionary<string, string[]> Features = new()
    {
        ["Documents"] = [], ["Auth"] = [], ["Realtime"] = ["Documents"],
        // Keys of apps are read as keys of accounts are; what a manifest says of fields becomes suggested field indexes.
        ["Apps"] = ["Auth", "Documents"],
    };

    [Theory]
    [InlineData("Vibe.Rpc.Core", new[] { "Google.Protobuf" })]
    [InlineData("Vibe.Rpc", new[] { "Google.Protobuf", "Vibe.Rpc.Core" })]
    [InlineData("Vibe.Postgres", new[] { "Npgsql" })]
    [InlineData("Vibe.Contracts", new[] { "Google.Protobuf", "Vibe.Rpc", "Vibe.Rpc.Core" })]
    public void An_assembly_uses_only_what_its_room_allows(string name, string[] allowed)
    {
        var used = Assembly.Load(name).GetReferencedAssemblies()
            .Select(reference => reference.Name!)
            .Where(reference => !reference.StartsWith("System", StringComparison.Ordinal) && !reference.StartsWith("Microsoft.", StringComparison.Ordinal))
            .Except(["netstandard", "mscorlib"]);
        Assert.Empty(used.Except(allowed));
    }

    [Fact]
    public void Only_the_database_layer_knows_the_driver() =>
        Assert.Empty(Repository.Sources("src").Where(file => !file.Path.StartsWith("src/Vibe.Postgres/", StringComparison.Ordinal)
            && file.Text.Contains("using Npgsql", StringComparison.Ordinal)).Select(file => file.Path));

    [Fact]
    public void Features_know_each_other_only_where_it_says_so()
    {
        var offences =
            from feature in Features.Keys
            from file in Repository.Sources($"src/Vibe.Server/{feature}")
            from other in Features.Keys.Except([feature, .. Features[feature]])
            where Regex.IsMatch(file.Text, $@"\bVibe\.Server\.{other}\b")
            select $"{file.Path} uses {other}";
        Assert.Empty(offences);
    }

    [Fact]
    public void The_kernel_does_no_input_or_output() =>
        Assert.Empty(Repository.Sources("src/Vibe.Server/Kernel")
            .Where(file => Regex.IsMatch(file.Text, @"\busing (Microsoft\.AspNetCore|System\.IO|System\.Net|Vibe\.Server\.(Hosting|Pipeline|Documents|Auth|Realtime|Apps|Commands))\b"))
            .Select(file => file.Path));

    [Fact]
    public void Addresses_from_outside_are_fetched_by_the_guarded_fetcher_only() =>
        Assert.Equal(
            ["src/Vibe.Server/Auth/Identity/GuardedFetcher.cs"],
            Repository.Sources("src/Vibe.Server")
                .Where(file => !file.Path.StartsWith("src/Vibe.Server/Commands/", StringComparison.Ordinal)
                    && Regex.IsMatch(file.Text, @"\b(HttpClient|SocketsHttpHandler|HttpMessageInvoker|WebRequest)\b"))
                .Select(file => file.Path));

    [Fact]
    public void A_namespace_is_its_folder()
    {
        var offences =
            from file in Repository.Sources("src/Vibe.Server").Concat(Repository.Sources("src/Vibe.Postgres"))
            let match = NamespaceLine.Match(file.Text)
            where match.Success
            let folder = Path.GetDirectoryName(file.Path)!.Replace('\\', '/')["src/".Length..].Replace('/', '.')
            where match.Groups["name"].Value != folder
            select $"{file.Path}: {match.Groups["name"].Value}";
        Assert.Empty(offences);
    }

    [GeneratedRegex(@"^namespace (?<name>[\w.]+);", RegexOptions.Multiline | RegexOptions.ExplicitCapture)]
    private static partial Regex NamespaceLine { get; }
}
