using Google.Api;
using Google.Protobuf.Reflection;
using Vibe.Rpc.Json;
using Vibe.RpcTest.Twin.V1;
using Vibe.RpcTest.V1;

namespace Vibe.Rpc.Tests.Json;

public sealed class ProtoSchemaTests
{
    internal static readonly ProtoSchema Schema = LoadTestContracts();

    [Fact]
    public void Files_come_after_their_imports()
    {
        var seen = new HashSet<string>();
        foreach (var file in Schema.Files)
        {
            Assert.All(file.Dependencies, dependency => Assert.Contains(dependency.Name, seen));
            seen.Add(file.Name);
        }

        Assert.Contains("vibe/rpctest/v1/rpctest_service.proto", seen);
    }

    [Fact]
    public void The_public_twin_is_a_struct_and_the_generated_one_is_bytes()
    {
        var field = Schema.FindMessage("vibe.rpctest.twin.v1.TwinMessage")!.FindFieldByName("data");

        Assert.Equal("google.protobuf.Struct", field.MessageType.FullName);
        Assert.Equal(FieldType.Bytes, TwinMessage.Descriptor.FindFieldByName("data").FieldType);
    }

    [Fact]
    public void Comments_are_found_for_every_kind_of_element()
    {
        Assert.Equal("Every kind of field that a protobuf message can hold.", Schema.CommentOf(AllTypes.Descriptor));
        Assert.Equal("int64: a string in JSON.", Schema.CommentOf(AllTypes.Descriptor.FindFieldByName("int64_value")));
        var color = Schema.FindEnum("vibe.rpctest.v1.AllTypes.Color")!;
        Assert.Equal("An enum.", Schema.CommentOf(color));
        Assert.Equal("A negative number.", Schema.CommentOf(color.FindValueByNumber(-1)));
        var service = Schema.FindService("vibe.rpctest.v1.RpcTestService")!;
        Assert.StartsWith("One method of each kind", Schema.CommentOf(service), StringComparison.Ordinal);
        Assert.Equal("Returns what it was sent.", Schema.CommentOf(service.FindMethodByName("Echo")));
    }

    [Theory]
    [InlineData("vibe.rpctest.v1.AllTypes")]
    [InlineData("vibe.rpctest.v1.AllTypes.text")]
    [InlineData("vibe.rpctest.v1.AllTypes.choice")]
    [InlineData("vibe.rpctest.v1.AllTypes.COLOR_RED")]
    [InlineData("vibe.rpctest.v1.AllTypes.Color.COLOR_RED")]
    [InlineData("vibe.rpctest.v1.RpcTestService.Echo")]
    public void A_symbol_leads_to_its_file(string symbol) =>
        Assert.Equal("vibe/rpctest/v1/rpctest_service.proto", Schema.FindFileContaining(symbol)?.Name);

    [Fact]
    public void Unknown_names_are_null()
    {
        Assert.Null(Schema.FindMessage("vibe.rpctest.v1.RpcTestService"));
        Assert.Null(Schema.FindFileContaining("nothing"));
        Assert.Null(Schema.FindFile("nothing.proto"));
        Assert.Null(Schema.FindExtension("google.protobuf.MethodOptions", 1));
        Assert.Empty(Schema.FindExtensions("nothing"));
    }

    [Fact]
    public void Options_and_extensions_can_be_read()
    {
        var echo = Schema.FindService("vibe.rpctest.v1.RpcTestService")!.FindMethodByName("Echo");

        Assert.Equal("/test/v1/echo", echo.GetOptions().GetExtension(AnnotationsExtensions.Http).Post);
        Assert.Equal("google.api.http", Schema.FindExtension("google.protobuf.MethodOptions", 72295728)?.FullName);
    }

    [Fact]
    public void A_served_file_has_no_comments_and_keeps_its_options()
    {
        const string Name = "vibe/rpctest/v1/rpctest_service.proto";
        var file = FileDescriptorProto.Parser.ParseFrom(Schema.SerializedFile(Name));

        Assert.Null(file.SourceCodeInfo);
        Assert.Equal(
            RpctestServiceReflection.Descriptor.Services[0].FindMethodByName("Echo").GetOptions().GetExtension(AnnotationsExtensions.Http),
            FileDescriptor.BuildFromByteStrings(
                    Schema.Files.Select(f => Schema.SerializedFile(f.Name)), [AnnotationsExtensions.Http])
                .Single(f => f.Name == Name).Services[0].FindMethodByName("Echo").GetOptions().GetExtension(AnnotationsExtensions.Http));
    }

    [Fact]
    public void Generated_files_make_a_schema_with_their_imports()
    {
        var schema = ProtoSchema.FromFiles(RpctestServiceReflection.Descriptor);

        Assert.NotNull(schema.FindMessage("google.protobuf.Timestamp"));
        Assert.Empty(schema.CommentOf(AllTypes.Descriptor));
    }

    [Fact]
    public void Broken_sets_are_refused()
    {
        Assert.Throws<InvalidDataException>(() => ProtoSchema.Load(new byte[] { 1, 2, 3 }));
        var set = new FileDescriptorSet { File = { new FileDescriptorProto { Name = "a.proto", Dependency = { "b.proto" } } } };
        Assert.Throws<InvalidDataException>(() => ProtoSchema.Load(Google.Protobuf.MessageExtensions.ToByteArray(set)));
        set.File.Add(new FileDescriptorProto { Name = "b.proto", Dependency = { "a.proto" } });
        Assert.Throws<InvalidDataException>(() => ProtoSchema.Load(Google.Protobuf.MessageExtensions.ToByteArray(set)));
    }

    private static ProtoSchema LoadTestContracts()
    {
        using var set = typeof(AllTypes).Assembly.GetManifestResourceStream("descriptors.binpb")!;
        return ProtoSchema.Load(set);
    }
}
