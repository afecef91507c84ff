using System.Buffers;
using System.Diagnostics;
using System.Text;
using System.Text.Json;
using Google.Protobuf;
using Google.Protobuf.WellKnownTypes;
using Vibe.Rpc.Json;

namespace Vibe.Rpc.Tests.Json;

public sealed class StructJsonTests
{
    [Fact]
    public void Random_objects_agree_with_the_protobuf_library_both_ways()
    {
        for (var seed = 0; seed < 5000; seed++)
        {
            var json = new RandomJson(seed).Object();
            var expected = JsonParser.Default.Parse<Struct>(json);

            var wire = StructJson.ToStruct(Encoding.UTF8.GetBytes(json));

            Assert.True(expected.ToByteString().Equals(wire), $"seed {seed}: {json}");
            StructJson.Validate(wire.Span);
            var back = ToJson(wire.Span);
            using var original = JsonDocument.Parse(JsonFormatter.Default.Format(expected));
            using var written = JsonDocument.Parse(back);
            Assert.True(JsonElement.DeepEquals(original.RootElement, written.RootElement), $"seed {seed}: {json} became {back}");
            Assert.Equal(wire, StructJson.ToStruct(Encoding.UTF8.GetBytes(back)));
        }
    }

    [Fact]
    public void Every_truncation_fails_with_the_documented_error()
    {
        for (var seed = 0; seed < 12; seed++)
        {
            var json = Encoding.UTF8.GetBytes(new RandomJson(seed).Object().TrimEnd());
            var wire = StructJson.ToStruct(json);
            for (var length = 0; length < json.Length; length++)
            {
                Assert.Throws<StructJsonException>(() => StructJson.ToStruct(json.AsSpan(0, length)));
            }

            for (var length = 0; length < wire.Length; length++)
            {
                var cut = wire.Span[..length].ToArray();
                OnlyDocumentedErrors(() => StructJson.Validate(cut));
                OnlyDocumentedErrors(() => ToJson(cut));
            }
        }
    }

    [Fact]
    public void Mutated_json_is_accepted_exactly_when_it_is_json()
    {
        var random = new Random(7);
        for (var seed = 0; seed < 6000; seed++)
        {
            var json = Mutation.Of(Encoding.UTF8.GetBytes(new RandomJson(seed % 300).Object(3)), random);
            var (expected, reason) = (IsJsonObject(json), "");
            try
            {
                StructJson.ToStruct(json);
            }
            catch (StructJsonException e)
            {
                reason = e.Reason;
            }

            // JsonDocument says nothing about UTF-8, and a Struct cannot hold all that JSON can.
            var refusesJson = reason is JsonErrorReason.DuplicateKey or JsonErrorReason.NullCharacter
                or JsonErrorReason.NumberOutOfRange or JsonErrorReason.LoneSurrogate or JsonErrorReason.InvalidUtf8;
            Assert.True(expected == (reason == "") || refusesJson, $"{reason}: {Encoding.UTF8.GetString(json)}");
        }
    }

    [Fact]
    public void Mutated_structs_never_give_malformed_json()
    {
        var random = new Random(11);
        for (var seed = 0; seed < 6000; seed++)
        {
            var wire = StructJson.ToStruct(Encoding.UTF8.GetBytes(new RandomJson(seed % 300).Object(3))).ToByteArray();
            wire = Mutation.Of(wire, random);
            var valid = OnlyDocumentedErrors(() => StructJson.Validate(wire));
            var written = OnlyDocumentedErrors(() => JsonDocument.Parse(ToJson(wire)).Dispose());

            Assert.True(!valid || written, $"{Convert.ToHexString(wire)} is valid, but cannot be written");
            if (valid)
            {
                Assert.Equal(Struct.Parser.ParseFrom(wire), JsonParser.Default.Parse<Struct>(ToJson(wire)));
            }
        }
    }

    [Theory]
    [InlineData("""{"a":1,"a":2}""", JsonErrorReason.DuplicateKey, "a")]
    [InlineData("""{"a":1,"\u0061":2}""", JsonErrorReason.DuplicateKey, "[\"\\u0061\"]")]
    [InlineData("""{"x":{"b":[1,{"c":1,"c":1}]}}""", JsonErrorReason.DuplicateKey, "x.b[1].c")]
    [InlineData("""{"a b":"\ud800"}""", JsonErrorReason.LoneSurrogate, "[\"a b\"]")]
    [InlineData("""{"a":"\udc00\ud800"}""", JsonErrorReason.LoneSurrogate, "a")]
    [InlineData("""{"a":["\u0000"]}""", JsonErrorReason.NullCharacter, "a[0]")]
    [InlineData("""{"a\u0000":1}""", JsonErrorReason.NullCharacter, "[\"a\\u0000\"]")]
    [InlineData("""{"a":1e400}""", JsonErrorReason.NumberOutOfRange, "a")]
    [InlineData("""{"a":NaN}""", JsonErrorReason.MalformedJson, "a")]
    [InlineData("""{"a":01}""", JsonErrorReason.MalformedJson, "a")]
    [InlineData("""{"a":1,}""", JsonErrorReason.MalformedJson, "")]
    [InlineData("""{"a":[1,]}""", JsonErrorReason.MalformedJson, "a[1]")]
    [InlineData("""{"a":1}x""", JsonErrorReason.MalformedJson, "")]
    [InlineData("""{"a":1} {}""", JsonErrorReason.MalformedJson, "")]
    [InlineData("""{"a":/**/1}""", JsonErrorReason.MalformedJson, "a")]
    [InlineData("\uFEFF{}", JsonErrorReason.MalformedJson, "")]
    [InlineData("[]", JsonErrorReason.WrongType, "")]
    [InlineData("null", JsonErrorReason.WrongType, "")]
    [InlineData("", JsonErrorReason.MalformedJson, "")]
    [InlineData("{\"a\":\"\n\"}", JsonErrorReason.MalformedJson, "a")]
    public void Input_that_is_no_such_object_is_refused_with_its_place(string json, string reason, string path)
    {
        var error = Assert.Throws<StructJsonException>(() => StructJson.ToStruct(Encoding.UTF8.GetBytes(json)));

        Assert.Equal(reason, error.Reason);
        Assert.Equal(path, error.FieldPath);
    }

    [Fact]
    public void An_empty_key_and_an_empty_object_survive()
    {
        Assert.Equal("{}", ToJson(StructJson.ToStruct("{ }"u8).Span));
        Assert.Equal("""{"":{"":[]}}""", ToJson(StructJson.ToStruct("""{"":{"":[]}}"""u8).Span));

        // The C# library leaves out the default key of a map entry.
        var data = new Struct { Fields = { [""] = Value.ForNull() } };
        StructJson.Validate(data.ToByteArray());
        Assert.Equal("""{"":null}""", ToJson(data.ToByteArray()));
    }

    [Fact]
    public void Invalid_utf8_is_refused_inside_strings_too()
    {
        var error = Assert.Throws<StructJsonException>(() => StructJson.ToStruct([.. "{\"a\":\""u8, 0xC3, 0x28, .. "\"}"u8]));
        Assert.Equal(JsonErrorReason.InvalidUtf8, error.Reason);
    }

    [Theory]
    [InlineData("0A", JsonErrorReason.MalformedStruct)]
    [InlineData("10", JsonErrorReason.MalformedStruct)]
    [InlineData("0A0A0A016112051200", JsonErrorReason.MalformedStruct)]
    [InlineData("0A030A0161", JsonErrorReason.MalformedStruct)]
    [InlineData("0A050A01611200", JsonErrorReason.MissingValue)]
    [InlineData("0A070A016112020801", JsonErrorReason.MalformedStruct)]
    [InlineData("0A090A0161120408000800", JsonErrorReason.MalformedStruct)]
    [InlineData("0A0E0A0161120911000000000000000F07F", JsonErrorReason.MalformedStruct)]
    [InlineData("0A0E0A0161120911000000000000F07F", JsonErrorReason.NotFinite)]
    [InlineData("0A0E0A0161120911000000000000F8FF", JsonErrorReason.NotFinite)]
    [InlineData("0A080A016112031A01FF", JsonErrorReason.InvalidUtf8)]
    [InlineData("0A080A016112031A0100", JsonErrorReason.NullCharacter)]
    [InlineData("0A070A0161120220010A070A016112022001", JsonErrorReason.DuplicateKey)]
    public void Bytes_that_are_no_such_struct_are_refused(string hex, string reason)
    {
        if (hex.Length % 2 != 0)
        {
            hex += "0";
        }

        Assert.Equal(reason, Assert.Throws<StructJsonException>(() => StructJson.Validate(Convert.FromHexString(hex))).Reason);
    }

    [Fact]
    public void Validation_names_the_place()
    {
        var data = new Struct();
        var bad = new ListValue { Values = { Value.ForBool(true), Value.ForNumber(double.NaN) } };
        data.Fields["x"] = Value.ForStruct(new() { Fields = { ["a"] = Value.ForNull(), ["b"] = new() { ListValue = bad } } });

        var error = Assert.Throws<StructJsonException>(() => StructJson.Validate(data.ToByteArray()));

        Assert.Equal("x.b[1]", error.FieldPath);
    }

    [Fact]
    public void Depth_counts_from_one_in_all_directions()
    {
        byte[] deep = [.. "{\"a\":"u8, .. Enumerable.Repeat((byte)'[', 99), .. Enumerable.Repeat((byte)']', 99), (byte)'}'];
        byte[] deeper = [.. "{\"a\":"u8, .. Enumerable.Repeat((byte)'[', 100), .. Enumerable.Repeat((byte)']', 100), (byte)'}'];
        var limits = new StructJsonLimits { MaxDepth = 101 };

        var wire = StructJson.ToStruct(deep);
        StructJson.Validate(wire.Span);
        Assert.Equal(deep, Encoding.UTF8.GetBytes(ToJson(wire.Span)));

        Assert.Equal(JsonErrorReason.DepthLimit, Assert.Throws<StructJsonException>(() => StructJson.ToStruct(deeper)).Reason);
        wire = StructJson.ToStruct(deeper, limits);
        Assert.Equal(JsonErrorReason.DepthLimit, Assert.Throws<StructJsonException>(() => StructJson.Validate(wire.Span)).Reason);
        Assert.Equal(JsonErrorReason.DepthLimit, Assert.Throws<StructJsonException>(() => ToJson(wire.Span)).Reason);
    }

    [Fact]
    public void Size_is_limited_in_wire_bytes()
    {
        var json = "{\"a\":[1,2,3,4,5,6,7,8,9,10]}"u8.ToArray();
        var size = StructJson.ToStruct(json).Length;

        Assert.Equal(size, StructJson.ToStruct(json, new StructJsonLimits { MaxBytes = size }).Length);
        var error = Assert.Throws<StructJsonException>(() => StructJson.ToStruct(json, new StructJsonLimits { MaxBytes = size - 1 }));
        Assert.Equal(JsonErrorReason.SizeLimit, error.Reason);
        Assert.Throws<StructJsonException>(
            () => StructJson.Validate(StructJson.ToStruct(json).Span, new StructJsonLimits { MaxBytes = size - 1 }));
    }

    [Fact]
    public void A_duplicate_among_many_keys_is_found_when_the_object_ends()
    {
        var members = string.Join(',', Enumerable.Range(0, 1000).Select(i => $"\"k{i}\":{{\"k\":{i}}}"));

        StructJson.Validate(StructJson.ToStruct(Encoding.UTF8.GetBytes($"{{{members}}}")).Span);
        var error = Assert.Throws<StructJsonException>(() => StructJson.ToStruct(Encoding.UTF8.GetBytes($"{{{members},\"k500\":1}}")));
        Assert.Equal(JsonErrorReason.DuplicateKey, error.Reason);
        Assert.Contains("k500", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Many_keys_and_deep_big_content_take_linear_time()
    {
        var flat = $"{{\"a\":\"{new string('x', 1_000_000)}\"}}";
        var deep = string.Concat(Enumerable.Repeat("{\"a\":", 90)) + flat + new string('}', 90);
        var keys = $"{{{string.Join(',', Enumerable.Range(0, 100_000).Select(i => $"\"{i}\":1"))}}}";

        // A machine that stands still only adds: of three times the shortest counts.
        var shortest = Enumerable.Range(0, 3).Min(_ =>
        {
            var watch = Stopwatch.StartNew();
            StructJson.Validate(StructJson.ToStruct(Encoding.UTF8.GetBytes(deep)).Span);
            StructJson.Validate(StructJson.ToStruct(Encoding.UTF8.GetBytes(keys)).Span);
            return watch.Elapsed;
        });

        // Quadratic would be a minute.
        Assert.InRange(shortest, TimeSpan.Zero, TimeSpan.FromSeconds(20));
    }

    [Fact]
    public void Long_paths_and_names_are_cut_in_errors()
    {
        var name = new string('n', 10_000);
        var error = Assert.Throws<StructJsonException>(
            () => StructJson.ToStruct(Encoding.UTF8.GetBytes(string.Concat(Enumerable.Repeat($"{{\"{name}\":", 20)) + "oops")));

        Assert.InRange(error.Message.Length, 1, 400);
    }

    private static string ToJson(ReadOnlySpan<byte> wire)
    {
        var output = new ArrayBufferWriter<byte>();
        StructJson.ToJson(wire, output);
        return Encoding.UTF8.GetString(output.WrittenSpan);
    }

    private static bool OnlyDocumentedErrors(Action action)
    {
        try
        {
            action();
            return true;
        }
        catch (StructJsonException)
        {
            return false;
        }
    }

    private static bool IsJsonObject(byte[] json)
    {
        try
        {
            using var document = JsonDocument.Parse(json);
            return document.RootElement.ValueKind == JsonValueKind.Object;
        }
        catch (JsonException)
        {
            return false;
        }
    }
}
