using Google.Protobuf.Reflection;
using Grpc.Core;
using Grpc.Reflection.V1;
using Vibe.Rpc.Json;
using Vibe.Rpc.Reflection;
using Vibe.Rpc.Tests.Server;
using Vibe.RpcTest.V1;

namespace Vibe.Rpc.Tests.Reflection;

public sealed class ReflectionAnswersTests
{
    private const string TestFile = "vibe/rpctest/v1/rpctest_service.proto";
    private const string TwinFile = "vibe/rpctest/twin/v1/twin.proto";

    [Theory]
    [InlineData("vibe.rpctest.v1.RpcTestService")]
    [InlineData("vibe.rpctest.v1.RpcTestService.Echo")]
    [InlineData("vibe.rpctest.v1.AllTypes")]
    [InlineData("vibe.rpctest.v1.AllTypes.text")]
    [InlineData("vibe.rpctest.v1.AllTypes.choice")]
    [InlineData("vibe.rpctest.v1.AllTypes.Color")]
    [InlineData("vibe.rpctest.v1.AllTypes.COLOR_RED")]
    [InlineData("vibe.rpctest.v1.AllTypes.Color.COLOR_RED")]
    [InlineData("vibe.rpctest.v1.AllTypes.LabelsEntry")]
    public async Task A_symbol_of_any_kind_leads_to_its_file(string symbol)
    {
        await using var server = await StartAsync();
        Assert.Equal(TestFile, Files(Ask(server, new() { FileContainingSymbol = symbol }))[0].Name);
    }

    [Theory]
    [InlineData("buf.validate.field", "buf/validate/validate.proto")]
    [InlineData("google.api.http", "google/api/annotations.proto")]
    [InlineData("google.protobuf.NULL_VALUE", "google/protobuf/struct.proto")]
    [InlineData("google.protobuf.Any", "google/protobuf/any.proto")]
    public async Task Extensions_and_imported_symbols_are_found(string symbol, string file)
    {
        await using var server = await StartAsync();
        Assert.Equal(file, Files(Ask(server, new() { FileContainingSymbol = symbol }))[0].Name);
    }

    [Fact]
    public async Task A_file_comes_first_and_then_everything_it_needs()
    {
        await using var server = await StartAsync();
        var files = Files(Ask(server, new() { FileByFilename = TestFile }));

        Assert.Equal(TestFile, files[0].Name);
        var names = files.Select(file => file.Name).ToList();
        Assert.Equal(names.Distinct(), names);
        Assert.All(files.SelectMany(file => file.Dependency), import => Assert.Contains(import, names));
        Assert.Contains("google/protobuf/descriptor.proto", names);
        Assert.All(files, file => Assert.Null(file.SourceCodeInfo));

        // What a client does with them.
        Assert.NotEmpty(FileDescriptor.BuildFromByteStrings(InOrder(files)));
    }

    [Fact]
    public async Task Services_are_those_mapped_in_order()
    {
        await using var server = await StartAsync();
        var names = Ask(server, new() { ListServices = "" }).ListServicesResponse.Service.Select(service => service.Name);
        Assert.Equal(["grpc.reflection.v1.ServerReflection", "grpc.reflection.v1alpha.ServerReflection", "vibe.rpctest.v1.RpcTestService"], names);
    }

    [Fact]
    public async Task Extensions_are_found_by_type_and_number()
    {
        await using var server = await StartAsync();

        var file = Files(Ask(server, Extension("google.protobuf.FieldOptions", 1159)))[0];
        Assert.Equal("buf/validate/validate.proto", file.Name);

        var numbers = Ask(server, new() { AllExtensionNumbersOfType = "google.protobuf.MethodOptions" }).AllExtensionNumbersResponse;
        Assert.Equal("google.protobuf.MethodOptions", numbers.BaseTypeName);
        Assert.Equal([72295728], numbers.ExtensionNumber);
        Assert.Empty(Ask(server, new() { AllExtensionNumbersOfType = "vibe.rpctest.v1.AllTypes" }).AllExtensionNumbersResponse.ExtensionNumber);
    }

    [Fact]
    public async Task What_does_not_exist_is_an_answer_and_not_a_failure()
    {
        await using var server = await StartAsync();
        ServerReflectionRequest[] questions =
        [
            new() { FileByFilename = "none.proto" },
            new() { FileContainingSymbol = "none.Such" },
            new() { FileContainingSymbol = "" },
            new() { AllExtensionNumbersOfType = "none.Such" },
            Extension("google.protobuf.FieldOptions", 1),
            Extension("none.Such", 1159),
        ];
        Assert.All(questions, question => Assert.Equal((int)StatusCode.NotFound, Ask(server, question).ErrorResponse.ErrorCode));
        Assert.Equal((int)StatusCode.InvalidArgument, Ask(server, new()).ErrorResponse.ErrorCode);
    }

    [Fact]
    public async Task An_answer_repeats_host_and_question()
    {
        await using var server = await StartAsync();
        var question = new ServerReflectionRequest { Host = "example", ListServices = "*" };
        var answer = Ask(server, question);
        Assert.Equal("example", answer.ValidHost);
        Assert.Equal(question, answer.OriginalRequest);
    }

    [Fact]
    public async Task The_public_schema_is_served_and_not_the_wire_twin()
    {
        var schema = ProtoSchema.Load(typeof(AllTypes).Assembly.GetManifestResourceStream("descriptors.binpb")!);
        await using var server = await StartAsync(schema);

        var twin = Files(Ask(server, new() { FileContainingSymbol = "vibe.rpctest.twin.v1.TwinMessage" }))[0];
        Assert.Equal(TwinFile, twin.Name);
        Assert.Equal(".google.protobuf.Struct", twin.MessageType[0].Field.Single(field => field.Name == "data").TypeName);
        Assert.Equal(TestFile, Files(Ask(server, new() { FileContainingSymbol = "vibe.rpctest.v1.RpcTestService" }))[0].Name);
    }

    [Fact]
    public async Task A_service_that_the_public_schema_lacks_is_answered_from_its_own_descriptors()
    {
        await using var server = await StartAsync(ProtoSchema.FromFiles(Google.Protobuf.WellKnownTypes.StructReflection.Descriptor));

        Assert.Equal(TestFile, Files(Ask(server, new() { FileContainingSymbol = "vibe.rpctest.v1.RpcTestService" }))[0].Name);
        Assert.Equal("google/protobuf/struct.proto", Files(Ask(server, new() { FileContainingSymbol = "google.protobuf.Struct" }))[0].Name);
        Assert.Equal([1159], Ask(server, new() { AllExtensionNumbersOfType = "google.protobuf.FieldOptions" }).AllExtensionNumbersResponse.ExtensionNumber);
    }

    private static Task<RpcTestServer> StartAsync(ProtoSchema? schema = null) => RpcTestServer.StartAsync(
        services: services =>
        {
            services.AddGrpcReflection();
            if (schema is not null)
            {
                services.AddSingleton(schema);
            }
        },
        map: app =>
        {
            app.MapGrpcService<RpcTestServiceImpl>();
            app.MapGrpcReflectionService();
        });

    private static ServerReflectionRequest Extension(string type, int number) =>
        new() { FileContainingExtension = new() { ContainingType = type, ExtensionNumber = number } };

    private static ServerReflectionResponse Ask(RpcTestServer server, ServerReflectionRequest question) =>
        server.Services.GetRequiredService<ReflectionAnswers>().Answer(question);

    private static List<FileDescriptorProto> Files(ServerReflectionResponse answer) =>
        [.. answer.FileDescriptorResponse.FileDescriptorProto.Select(FileDescriptorProto.Parser.ParseFrom)];

    // Imports before importers, as a descriptor pool wants them.
    private static List<Google.Protobuf.ByteString> InOrder(List<FileDescriptorProto> files)
    {
        List<FileDescriptorProto> ordered = [];
        while (ordered.Count < files.Count)
        {
            ordered.Add(files.First(file => !ordered.Contains(file) && file.Dependency.All(import => ordered.Any(done => done.Name == import))));
        }

        return [.. ordered.Select(file => Google.Protobuf.MessageExtensions.ToByteString(file))];
    }
}
