using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;
using Google.Protobuf;
using Vibe.Rpc.Json;

namespace Vibe.Rpc.Tests.Json;

/// <summary>
/// The cases of <c>tests/vectors/json</c>: input, and either its canonical form or the error. <c>VIBE_UPDATE_VECTORS=1</c> writes what
/// the codec does today into the files, for review.
/// </summary>
public sealed class JsonVectorTests
{
    private static readonly JsonSerializerOptions Layout = new()
    {
        WriteIndented = true,
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
    };

    public static TheoryData<string> Files() => new(Directory.GetFiles(Folder(), "*.json").Select(Path.GetFileName).Order()!);

    [Theory]
    [MemberData(nameof(Files))]
    public void Every_case_gives_its_canonical_form_or_its_error(string file)
    {
        var path = Path.Combine(Folder(), file);
        var document = JsonNode.Parse(File.ReadAllText(path))!;
        var codec = JsonCodecTests.NewCodec(new() { IgnoreUnknown = document["ignoreUnknown"]?.GetValue<bool>() ?? false });
        var update = Environment.GetEnvironmentVariable("VIBE_UPDATE_VECTORS") == "1";
        var failures = new List<string>();
        var number = 0;
        foreach (var item in document["cases"]!.AsArray().Select(item => item!.AsObject()))
        {
            Assert.Equal(++number, item["number"]!.GetValue<int>());
            var message = (item["message"] ?? document["message"])!.GetValue<string>();
            var actual = Run(codec, message, item["input"]!.GetValue<string>());
            var expected = new JsonObject(item.Where(member => member.Key is "output" or "error" or "path")
                .Select(member => KeyValuePair.Create(member.Key, member.Value?.DeepClone())));
            if (!JsonNode.DeepEquals(expected, actual))
            {
                failures.Add($"{file} {number} ({item["what"]}): {actual.ToJsonString(Layout)} instead of {expected.ToJsonString(Layout)}");
            }

            foreach (var key in new[] { "output", "error", "path" })
            {
                item.Remove(key);
            }

            foreach (var (key, value) in actual)
            {
                item[key] = value!.DeepClone();
            }
        }

        if (update)
        {
            File.WriteAllText(path, document.ToJsonString(Layout) + "\n");
        }
        else
        {
            Assert.True(failures.Count == 0, string.Join('\n', failures));
        }
    }

    private static JsonObject Run(JsonCodec codec, string type, string input)
    {
        var message = codec.FindType(type)!.Parser.ParseFrom(ByteString.Empty);
        try
        {
            codec.Merge(new(Encoding.UTF8.GetBytes(input)), message);
        }
        catch (JsonCodecException e)
        {
            return new() { ["error"] = e.Reason, ["path"] = e.FieldPath };
        }

        // What is accepted survives the wire and a second reading.
        var output = JsonCodecTests.Write(codec, message);
        var again = message.Descriptor.Parser.ParseFrom(message.ToByteArray());
        Assert.Equal(output, JsonCodecTests.Write(codec, again));
        var reread = message.Descriptor.Parser.ParseFrom(ByteString.Empty);
        codec.Merge(new(Encoding.UTF8.GetBytes(output)), reread);
        Assert.Equal(output, JsonCodecTests.Write(codec, reread));
        return new() { ["output"] = output };
    }

    private static string Folder()
    {
        var folder = new DirectoryInfo(AppContext.BaseDirectory);
        while (!File.Exists(Path.Combine(folder.FullName, "Vibe.sln")))
        {
            folder = folder.Parent ?? throw new DirectoryNotFoundException("The repository's root is not above the test.");
        }

        return Path.Combine(folder.FullName, "tests", "vectors", "json");
    }
}
