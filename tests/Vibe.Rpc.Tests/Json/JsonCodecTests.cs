using System.Buffers;
using System.Text;
using System.Text.Json;
using Google.Protobuf;
using Google.Protobuf.Reflection;
using Google.Protobuf.WellKnownTypes;
using Vibe.Rpc.Json;
using Vibe.RpcTest.V1;

namespace Vibe.Rpc.Tests.Json;

public sealed class JsonCodecTests
{
    private static readonly JsonCodec Codec = NewCodec();
    private static readonly TypeRegistry Types = TypeRegistry.FromFiles(RpctestServiceReflection.Descriptor);
    private static readonly JsonFormatter Formatter = new(JsonFormatter.Settings.Default.WithTypeRegistry(Types));
    private static readonly JsonParser Parser = new(JsonParser.Settings.Default.WithTypeRegistry(Types));

    [Fact]
    public void Random_messages_agree_with_the_protobuf_library_both_ways()
    {
        for (var seed = 0; seed < 500; seed++)
        {
            var message = new RandomMessages(seed).Next<AllTypes>();
            var theirs = Formatter.Format(message);

            var ours = Write(Codec, message);

            using var expected = JsonDocument.Parse(theirs);
            using var actual = JsonDocument.Parse(ours);
            Assert.True(JsonElement.DeepEquals(expected.RootElement, actual.RootElement), $"seed {seed}: {Difference("", expected.RootElement, actual.RootElement)}");
            Assert.Equal(message, Parser.Parse<AllTypes>(ours));
            Assert.Equal(message, Read<AllTypes>(Codec, theirs));
            Assert.Equal(message, Read<AllTypes>(Codec, ours));
        }
    }

    [Fact]
    public void Input_in_segments_reads_like_input_in_one_piece()
    {
        for (var seed = 0; seed < 100; seed++)
        {
            var message = new RandomMessages(seed).Next<AllTypes>(2);
            var read = new AllTypes();

            Codec.Merge(InSegments(Encoding.UTF8.GetBytes(Write(Codec, message)), 7), read);

            Assert.Equal(message, read);
        }
    }

    [Fact]
    public void Every_truncation_and_mutation_gives_a_message_or_the_documented_error()
    {
        var random = new Random(5);
        for (var seed = 0; seed < 20; seed++)
        {
            var json = Encoding.UTF8.GetBytes(Write(Codec, new RandomMessages(seed).Next<AllTypes>(2)));
            for (var length = 0; length < Math.Min(json.Length, 1000); length++)
            {
                Assert.Throws<JsonCodecException>(() => Codec.Merge(new(json[..length]), new AllTypes()));
            }

            for (var i = 0; i < 200; i++)
            {
                var mutated = Mutation.Of(json, random);
                try
                {
                    var read = new AllTypes();
                    Codec.Merge(new(mutated), read);

                    // What was accepted can be written, and means the same when read again.
                    Assert.Equal(read, Read<AllTypes>(Codec, Write(Codec, read)));
                }
                catch (JsonCodecException e)
                {
                    Assert.Matches("^[A-Z0-9]+(_[A-Z0-9]+)*$", e.Reason);
                    Assert.InRange(e.Message.Length, 1, 500);
                }
            }
        }
    }

    [Fact]
    public void Defaults_are_written_on_demand_as_the_library_does()
    {
        var codec = NewCodec(new() { EmitDefaults = true });
        var formatter = new JsonFormatter(JsonFormatter.Settings.Default.WithFormatDefaultValues(true).WithTypeRegistry(Types));
        for (var seed = 0; seed < 200; seed++)
        {
            var message = new RandomMessages(seed).Next<AllTypes>(1);
            using var expected = JsonDocument.Parse(formatter.Format(message));
            using var actual = JsonDocument.Parse(Write(codec, message));
            Assert.True(JsonElement.DeepEquals(expected.RootElement, actual.RootElement), $"seed {seed}: {Difference("", expected.RootElement, actual.RootElement)}");
        }
    }

    [Fact]
    public void Unknown_names_are_skipped_on_demand()
    {
        var codec = NewCodec(new() { IgnoreUnknown = true });
        var read = Read<AllTypes>(codec, """
            {"nope":{"a":[1,{"b":null}]},"color":"NOPE","colors":["RED","NOPE","GREEN"],"text":"x","any":{"@type":"x.y/google.protobuf.Duration","nope":1,"value":"1s"}}
            """);

        Assert.Equal("x", read.Text);
        Assert.Equal(AllTypes.Types.Color.Unspecified, read.Color);
        Assert.Equal([AllTypes.Types.Color.Red, AllTypes.Types.Color.Green], read.Colors);
        Assert.Equal(1, read.Any.Unpack<Duration>().Seconds);
    }

    [Fact]
    public void Merging_appends_to_lists_and_maps_and_replaces_the_rest()
    {
        var target = new AllTypes { Text = "old", Numbers = { 1 }, Labels = { ["a"] = "1", ["b"] = "2" }, Child = new() { Text = "child" } };

        Codec.Merge(Utf8("""{"numbers":[2],"labels":{"b":"3","c":"4"},"child":{"int32Value":1},"text":null}"""), target);

        Assert.Equal([1, 2], target.Numbers);
        Assert.Equal("1,3,4", string.Join(',', target.Labels.OrderBy(label => label.Key).Select(label => label.Value)));
        Assert.Equal(new AllTypes { Int32Value = 1 }, target.Child);
        Assert.Equal("", target.Text);
    }

    [Theory]
    [InlineData("text", "\"x\"")]
    [InlineData("int64_value", "\"5\"")]
    [InlineData("color", "\"COLOR_RED\"")]
    [InlineData("numbers", "[1,2]")]
    [InlineData("labels", "{\"a\":\"b\"}")]
    [InlineData("child", "{\"text\":\"y\"}")]
    [InlineData("time", "\"1970-01-01T00:00:01Z\"")]
    [InlineData("value", "null")]
    [InlineData("wrapped_int32", "0")]
    [InlineData("data", "{\"a\":[1]}")]
    public void A_field_alone_is_written_as_it_is_read(string name, string json)
    {
        var field = AllTypes.Descriptor.FindFieldByName(name);
        var message = new AllTypes();

        Codec.MergeField(Utf8(json), message, field);

        Assert.Equal(json, WriteField(message, field));
        Codec.MergeField(Utf8("null"), message, field);
        Assert.Equal(name == "value", field.HasPresence && field.Accessor.HasValue(message));
    }

    [Theory]
    [InlineData("text", "\"\"")]
    [InlineData("numbers", "[]")]
    [InlineData("labels", "{}")]
    [InlineData("child", "{}")]
    [InlineData("time", "null")]
    [InlineData("maybe", "null")]
    [InlineData("wrapped_int32", "null")]
    [InlineData("any", "{}")]
    public void An_absent_field_alone_has_a_form_too(string name, string json) =>
        Assert.Equal(json, WriteField(new AllTypes(), AllTypes.Descriptor.FindFieldByName(name)));

    [Fact]
    public void Errors_in_a_field_alone_start_with_the_field()
    {
        var error = Assert.Throws<JsonCodecException>(
            () => Codec.MergeField(Utf8("""{"children":[{},{"int32Value":true}]}"""), new AllTypes(), AllTypes.Descriptor.FindFieldByName("child")));

        Assert.Equal("child.children[1].int32Value", error.FieldPath);
        Assert.Equal(JsonErrorReason.WrongType, error.Reason);
    }

    [Fact]
    public void Well_known_types_stand_alone()
    {
        Assert.Equal("\"1.500s\"", Write(Codec, new Duration { Seconds = 1, Nanos = 500_000_000 }));
        Assert.Equal("\"7\"", Write(Codec, new Int64Value { Value = 7 }));
        Assert.Equal("\"\"", Write(Codec, new StringValue()));
        Assert.Equal("{}", Write(Codec, new Empty()));
        Assert.Equal(7, Read<Int64Value>(Codec, "7").Value);
        Assert.Equal(Value.ForNull(), Read<Value>(Codec, "null"));
        Assert.Equal(["foo_bar", "baz"], Read<FieldMask>(Codec, "\"fooBar,baz\"").Paths);
    }

    [Fact]
    public void Messages_that_json_cannot_express_are_refused()
    {
        AssertCannotWrite(new Timestamp { Seconds = long.MaxValue }, JsonErrorReason.InvalidTimestamp);
        AssertCannotWrite(new Duration { Seconds = 1, Nanos = -1 }, JsonErrorReason.InvalidDuration);
        AssertCannotWrite(new FieldMask { Paths = { "fooBar" } }, JsonErrorReason.InvalidFieldMask);
        AssertCannotWrite(new FieldMask { Paths = { "foo__bar" } }, JsonErrorReason.InvalidFieldMask);
        AssertCannotWrite(new Value(), JsonErrorReason.MissingValue);
        AssertCannotWrite(Value.ForNumber(double.NaN), JsonErrorReason.NotFinite);
        AssertCannotWrite(new Any { TypeUrl = "type.googleapis.com/no.Such" }, JsonErrorReason.UnknownType);
        AssertCannotWrite(new Any { Value = ByteString.CopyFromUtf8("x") }, JsonErrorReason.UnknownType);
        AssertCannotWrite(Any.Pack(new Duration { Seconds = 1, Nanos = -1 }), JsonErrorReason.InvalidDuration);
    }

    [Fact]
    public void A_message_nested_without_end_is_refused_instead_of_ending_the_process()
    {
        var any = Any.Pack(new Duration());
        for (var i = 0; i < 20_000; i++)
        {
            any = new Any { TypeUrl = "x/google.protobuf.Any", Value = i < 600 ? any.ToByteString() : any.Value };
        }

        AssertCannotWrite(any, JsonErrorReason.DepthLimit);
    }

    [Fact]
    public void Nested_types_that_come_last_do_not_make_quadratic_work()
    {
        var padding = new string(' ', 2_000);
        var json = string.Concat(Enumerable.Repeat("{\"value\":", 90)) + "{\"value\":\"1s\",\"@type\":\"x/google.protobuf.Duration\"}"
            + string.Concat(Enumerable.Repeat(padding + ",\"@type\":\"x/google.protobuf.Any\"}", 90));

        var error = Assert.Throws<JsonCodecException>(() => Read<Any>(Codec, json));
        Assert.Equal(JsonErrorReason.DepthLimit, error.Reason);
    }

    [Fact]
    public void Known_types_can_be_asked_for()
    {
        Assert.True(Codec.KnowsType("type.googleapis.com/google.rpc.ErrorInfo"));
        Assert.True(Codec.KnowsType("type.googleapis.com/vibe.rpctest.v1.AllTypes"));
        Assert.False(Codec.KnowsType("type.googleapis.com/vibe.rpctest.v1.Nothing"));
    }

    [Fact]
    public void Half_a_surrogate_pair_in_a_message_becomes_the_replacement_character() =>
        Assert.Equal("{\"text\":\"a\ufffdb\"}", Write(Codec, new AllTypes { Text = "a\ud800b" }));

    [Fact]
    public void Long_text_is_written_whole_across_chunks()
    {
        var text = string.Concat(Enumerable.Repeat("\U0001F600x\"é", 5000));
        var written = Write(Codec, new AllTypes { Text = text });

        Assert.Equal(text, Read<AllTypes>(Codec, written).Text);
        using var parsed = JsonDocument.Parse(written);
        Assert.Equal(text, parsed.RootElement.GetProperty("text").GetString());
    }

    internal static JsonCodec NewCodec(JsonCodecOptions? options = null)
    {
        var codec = new JsonCodec(ProtoSchemaTests.Schema, options);
        codec.AddTypes(RpctestServiceReflection.Descriptor, RpcTest.Twin.V1.TwinReflection.Descriptor);
        return codec;
    }

    internal static string Write(JsonCodec codec, IMessage message)
    {
        var output = new ArrayBufferWriter<byte>(16);
        codec.Write(message, output);
        return Encoding.UTF8.GetString(output.WrittenSpan);
    }

    internal static T Read<T>(JsonCodec codec, string json)
        where T : IMessage, new()
    {
        var message = new T();
        codec.Merge(Utf8(json), message);
        return message;
    }

    private static string? Difference(string path, JsonElement expected, JsonElement actual)
    {
        if (expected.ValueKind != JsonValueKind.Object || actual.ValueKind != JsonValueKind.Object)
        {
            return JsonElement.DeepEquals(expected, actual) ? null : $"{path} is {actual} instead of {expected}";
        }

        var names = expected.EnumerateObject().Concat(actual.EnumerateObject()).Select(member => member.Name).Distinct();
        return names.Select(name => (expected.TryGetProperty(name, out var wanted), actual.TryGetProperty(name, out var found)) switch
        {
            (true, true) => Difference($"{path}.{name}", wanted, found),
            (true, false) => $"{path}.{name} is missing, not {wanted}",
            _ => $"{path}.{name} is {found}, not missing",
        }).FirstOrDefault(difference => difference is not null);
    }

    private static ReadOnlySequence<byte> Utf8(string text) => new(Encoding.UTF8.GetBytes(text));

    private static string WriteField(IMessage message, FieldDescriptor field)
    {
        var output = new ArrayBufferWriter<byte>();
        Codec.WriteField(message, field, output);
        return Encoding.UTF8.GetString(output.WrittenSpan);
    }

    private static void AssertCannotWrite(IMessage message, string reason) =>
        Assert.Equal(reason, Assert.Throws<JsonCodecException>(() => Write(Codec, message)).Reason);

    private static ReadOnlySequence<byte> InSegments(byte[] bytes, int size)
    {
        Segment? first = null;
        Segment? last = null;
        foreach (var chunk in bytes.Chunk(size))
        {
            last = new Segment(chunk, last);
            first ??= last;
        }

        return new(first!, 0, last!, last!.Memory.Length);
    }

    private sealed class Segment : ReadOnlySequenceSegment<byte>
    {
        public Segment(byte[] bytes, Segment? previous)
        {
            Memory = bytes;
            RunningIndex = previous is null ? 0 : previous.RunningIndex + previous.Memory.Length;
            if (previous is not null)
            {
                previous.Next = this;
            }
        }
    }
}
