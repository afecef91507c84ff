using System.Buffers;
using System.Text;
using Google.Protobuf;
using Google.Protobuf.WellKnownTypes;
using Vibe.Rpc.Json;
using Vibe.RpcTest.Twin.V1;

namespace Vibe.Rpc.Tests.Json;

public sealed class TwinTests
{
    private static readonly JsonCodec Codec = JsonCodecTests.NewCodec();

    [Theory]
    [InlineData("""{}""")]
    [InlineData("""{"data":{}}""")]
    [InlineData("""{"name":"n","data":{"a":[1,{"b":null}],"c":"\"\u0001ü"},"count":0}""")]
    [InlineData("""{"list":[{},{"a":1}],"byName":{"k":{"b":true}}}""")]
    [InlineData("""{"child":{"data":{"x":1},"child":{"data":{}}},"children":[{"data":{"y":[[]]}},{}]}""")]
    [InlineData("""{"choiceData":{}}""")]
    [InlineData("""{"choiceData":{"a":-1.5}}""")]
    [InlineData("""{"choiceText":""}""")]
    public void Objects_pass_through_unchanged(string json)
    {
        var message = JsonCodecTests.Read<TwinMessage>(Codec, json);

        Assert.Equal(json, JsonCodecTests.Write(Codec, message));

        // Over the wire too: absent and empty differ.
        Assert.Equal(json, JsonCodecTests.Write(Codec, TwinMessage.Parser.ParseFrom(message.ToByteArray())));
    }

    [Fact]
    public void The_wire_form_is_that_of_a_struct()
    {
        for (var seed = 0; seed < 500; seed++)
        {
            var body = new RandomJson(seed).Object();
            var message = JsonCodecTests.Read<TwinMessage>(Codec, $$"""{"data":{{body}},"children":[{"data":{{body}}}]}""");

            Assert.Equal(JsonParser.Default.Parse<Struct>(body), Struct.Parser.ParseFrom(message.Data));
            Assert.Equal(message.Data, message.Children[0].Data);
        }
    }

    [Fact]
    public void Null_means_absent()
    {
        var message = new TwinMessage { Data = StructJson.ToStruct("{}"u8) };

        Codec.Merge(new("""{"data":null}"""u8.ToArray()), message);

        Assert.False(message.HasData);
    }

    [Fact]
    public void The_body_alone_is_a_rest_body()
    {
        var message = new TwinMessage();
        var field = TwinMessage.Descriptor.FindFieldByName("data");
        Assert.Equal("{}", WriteField(message, field));

        Codec.MergeField(new("""{"a":{"b":2}}"""u8.ToArray()), message, field);

        Assert.True(message.HasData);
        Assert.Equal("""{"a":{"b":2}}""", WriteField(message, field));

        // The public descriptor names the same field.
        var shown = ProtoSchemaTests.Schema.FindMessage("vibe.rpctest.twin.v1.TwinMessage")!.FindFieldByName("data");
        Assert.Equal("""{"a":{"b":2}}""", WriteField(message, shown));
    }

    [Fact]
    public void A_twin_inside_any_keeps_its_public_form()
    {
        const string Json = """{"@type":"type.googleapis.com/vibe.rpctest.twin.v1.TwinMessage","data":{"a":1}}""";

        Assert.Equal(Json, JsonCodecTests.Write(Codec, JsonCodecTests.Read<Any>(Codec, Json)));
    }

    [Theory]
    [InlineData("""{"data":"eyJhIjoxfQ=="}""", JsonErrorReason.WrongType, "data")]
    [InlineData("""{"data":[]}""", JsonErrorReason.WrongType, "data")]
    [InlineData("""{"children":[{"data":{"a":[{"b":1,"b":2}]}}]}""", JsonErrorReason.DuplicateKey, "children[0].data.a[0].b")]
    [InlineData("""{"data":{"a":"\u0000"}}""", JsonErrorReason.NullCharacter, "data.a")]
    [InlineData("""{"choiceData":{},"choiceText":"x"}""", JsonErrorReason.OneofConflict, "choiceText")]
    [InlineData("""{"data":{},"data":{}}""", JsonErrorReason.DuplicateKey, "data")]
    [InlineData("""{"data":{"a":1}""", JsonErrorReason.MalformedJson, "data")]
    public void Errors_in_a_body_name_the_place_in_the_message(string json, string reason, string path)
    {
        var error = Assert.Throws<JsonCodecException>(() => JsonCodecTests.Read<TwinMessage>(Codec, json));

        Assert.Equal(reason, error.Reason);
        Assert.Equal(path, error.FieldPath);
    }

    [Fact]
    public void A_body_counts_against_depth_and_size()
    {
        var deep = """{"data":{"a":""" + new string('[', 99) + new string(']', 99) + "}}";
        Assert.Equal(
            JsonErrorReason.DepthLimit,
            Assert.Throws<JsonCodecException>(() => JsonCodecTests.Read<TwinMessage>(Codec, deep)).Reason);

        var small = JsonCodecTests.NewCodec(new() { MaxStructBytes = 100 });
        Assert.Equal(
            JsonErrorReason.SizeLimit,
            Assert.Throws<JsonCodecException>(
                () => JsonCodecTests.Read<TwinMessage>(small, "{\"data\":{\"a\":\"" + new string('x', 100) + "\"}}")).Reason);
    }

    [Fact]
    public void Without_a_schema_the_field_is_what_generated_code_says()
    {
        var message = new TwinMessage { Data = ByteString.CopyFrom(1, 2, 3) };
        Assert.Equal("""{"data":"AQID"}""", JsonCodecTests.Write(new JsonCodec(), message));
    }

    private static string WriteField(IMessage message, Google.Protobuf.Reflection.FieldDescriptor field)
    {
        var output = new ArrayBufferWriter<byte>();
        Codec.WriteField(message, field, output);
        return Encoding.UTF8.GetString(output.WrittenSpan);
    }
}
