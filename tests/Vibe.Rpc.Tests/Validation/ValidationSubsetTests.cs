using Buf.Validate;
using Google.Protobuf;
using Google.Protobuf.Reflection;
using Vibe.Rpc.Json;
using Vibe.Rpc.Validation;
using Vibe.RpcTest.Validation.V1;
using Label = Google.Protobuf.Reflection.FieldDescriptorProto.Types.Label;
using Type = Google.Protobuf.Reflection.FieldDescriptorProto.Types.Type;

namespace Vibe.Rpc.Tests.Validation;

public sealed class ValidationSubsetTests
{
    [Theory]
    [InlineData("src/Vibe.Contracts/descriptors.binpb")]
    [InlineData("tests/Vibe.Rpc.TestContracts/descriptors.binpb")]
    public void Every_rule_of_this_repository_is_enforced(string descriptors)
    {
        using var file = File.OpenRead(Path.Combine(RepositoryRoot(), descriptors));
        Assert.Empty(ValidationSubset.Check(ProtoSchema.Load(file).Files));
    }

    [Fact]
    public void Generated_descriptors_can_be_checked_too() => Assert.Empty(ValidationSubset.Check(ValidationReflection.Descriptor));

    [Fact]
    public void A_rule_outside_the_subset_is_found()
    {
        // double.lt (FieldRules.double = 2), string.prefix (StringRules.prefix = 7), repeated.items with string.email (12).
        Assert.Contains("outside the subset", Problem(Type.Double, [0x12, 0x09, 0x11, 0, 0, 0, 0, 0, 0, 0xf0, 0x3f]), StringComparison.Ordinal);
        Assert.Contains("outside the subset", Problem(Type.String, [0x72, 0x03, 0x3a, 0x01, 0x61]), StringComparison.Ordinal);
        Assert.Contains(
            "outside the subset", Problem(Type.String, [0x92, 0x01, 0x06, 0x22, 0x04, 0x72, 0x02, 0x60, 0x01], repeated: true), StringComparison.Ordinal);
    }

    [Fact]
    public void A_rule_that_does_not_fit_the_field_is_found()
    {
        Assert.Contains("do not fit", Problem(Type.Int64, new FieldRules { String = new() { MaxLen = 1 } }), StringComparison.Ordinal);
        Assert.Contains("do not fit", Problem(Type.Sint32, new FieldRules { Int32 = new() { Lte = 1 } }), StringComparison.Ordinal);
        Assert.Contains("do not fit", Problem(Type.String, new FieldRules { String = new() { MaxLen = 1 } }, repeated: true), StringComparison.Ordinal);
        Assert.Contains(
            "for its items", Problem(Type.Int64, new FieldRules { Repeated = new() { Items = new() { String = new() { MaxLen = 1 } } } }, repeated: true), StringComparison.Ordinal);
        Assert.Contains(
            "required items", Problem(Type.String, new FieldRules { Repeated = new() { Items = new() { Required = true } } }, repeated: true), StringComparison.Ordinal);
        Assert.Contains("cannot be used", Problem(Type.String, new FieldRules { String = new() { Pattern = "(?=a)" } }), StringComparison.Ordinal);
    }

    [Fact]
    public void Rules_for_a_whole_message_or_oneof_are_found()
    {
        var file = FileWith(new FieldDescriptorProto { Name = "field", Number = 1, Type = Type.String, Label = Label.Optional, OneofIndex = 0 });
        byte[] rules = [0xba, 0x48, 0x00]; // extension 1159, an empty message
        var message = file.MessageType[0].NestedType[0];
        message.Options = MessageOptions.Parser.ParseFrom(rules);
        message.OneofDecl.Add(new OneofDescriptorProto { Name = "choice", Options = OneofOptions.Parser.ParseFrom(rules) });

        var problems = ValidationSubset.Check(Build(file));

        Assert.Equal(2, problems.Count);
        Assert.Contains(problems, problem => problem.Contains("whole message", StringComparison.Ordinal));
        Assert.Contains(problems, problem => problem.Contains("oneof", StringComparison.Ordinal));
    }

    private static string Problem(Type type, byte[] rules, bool repeated = false) => Problem(type, FieldRules.Parser.ParseFrom(rules), repeated);

    private static string Problem(Type type, FieldRules rules, bool repeated = false)
    {
        var options = new FieldOptions();
        options.SetExtension(ValidateExtensions.Field, rules);
        var file = FileWith(new FieldDescriptorProto
        {
            Name = "field",
            Number = 1,
            Type = type,
            Label = repeated ? Label.Repeated : Label.Optional,
            Options = options,
        });
        return Assert.Single(ValidationSubset.Check(Build(file)));
    }

    private static FileDescriptorProto FileWith(FieldDescriptorProto field) => new()
    {
        Name = "odd.proto",
        Package = "odd",
        Syntax = "proto3",
        Dependency = { "google/protobuf/descriptor.proto", "buf/validate/validate.proto" },
        MessageType = { new DescriptorProto { Name = "Outer", NestedType = { new DescriptorProto { Name = "Odd", Field = { field } } } } },
    };

    private static IEnumerable<FileDescriptor> Build(FileDescriptorProto file)
    {
        var registry = new ExtensionRegistry { ValidateExtensions.Field };
        return FileDescriptor.BuildFromByteStrings(
            [DescriptorReflection.Descriptor.SerializedData, ValidateReflection.Descriptor.SerializedData, file.ToByteString()], registry).TakeLast(1);
    }

    private static string RepositoryRoot()
    {
        var folder = new DirectoryInfo(AppContext.BaseDirectory);
        while (!File.Exists(Path.Combine(folder.FullName, "Vibe.sln")))
        {
            folder = folder.Parent ?? throw new InvalidOperationException("Vibe.sln is in no parent folder.");
        }

        return folder.FullName;
    }
}
