using Google.Protobuf.Reflection;
using Grpc.Core;
using Grpc.Reflection.V1;
using Vibe.Rpc.Calls;
using Vibe.Rpc.Json;

namespace Vibe.Rpc.Reflection;

/// <summary>
/// Answers the questions of grpc.reflection. The public schema comes first; what it lacks (a service mapped beside it) is answered
/// from the descriptors of the generated code. Failures are answers, too: one bad question does not end the stream.
/// </summary>
/// <param name="methods">Which services there are.</param>
/// <param name="published">The public descriptors, when the application registered any.</param>
internal sealed class ReflectionAnswers(RpcMethodRegistry methods, ProtoSchema? published = null)
{
    // Built at the first question, when every service has been mapped.
    private readonly Lazy<ProtoSchema[]> _schemas = new(() =>
    {
        var mapped = ProtoSchema.FromFiles(methods.Methods.Select(method => method.Descriptor.File).Distinct());
        return published is null ? [mapped] : [published, mapped];
    });

    public ServerReflectionResponse Answer(ServerReflectionRequest question)
    {
        var answer = question.MessageRequestCase switch
        {
            ServerReflectionRequest.MessageRequestOneofCase.FileByFilename => FileNamed(question.FileByFilename),
            ServerReflectionRequest.MessageRequestOneofCase.FileContainingSymbol => FileWithSymbol(question.FileContainingSymbol),
            ServerReflectionRequest.MessageRequestOneofCase.FileContainingExtension => FileWithExtension(question.FileContainingExtension),
            ServerReflectionRequest.MessageRequestOneofCase.AllExtensionNumbersOfType => ExtensionNumbers(question.AllExtensionNumbersOfType),
            ServerReflectionRequest.MessageRequestOneofCase.ListServices => Services(),
            _ => Error(StatusCode.InvalidArgument, "The request asks for nothing this server knows."),
        };
        answer.ValidHost = question.Host;
        answer.OriginalRequest = question;
        return answer;
    }

    private ServerReflectionResponse FileNamed(string name) =>
        Find(schema => schema.FindFile(name)) is { } file ? Files(file) : NotFound($"file {name}");

    private ServerReflectionResponse FileWithSymbol(string symbol) =>
        Find(schema => schema.FindFileContaining(symbol)) is { } file ? Files(file) : NotFound($"symbol {symbol}");

    private ServerReflectionResponse FileWithExtension(ExtensionRequest wanted) =>
        Find(schema => schema.FindExtension(wanted.ContainingType, wanted.ExtensionNumber)) is { } extension
            ? Files(extension.File)
            : NotFound($"extension {wanted.ExtensionNumber} of {wanted.ContainingType}");

    private ServerReflectionResponse ExtensionNumbers(string type)
    {
        if (Find(schema => schema.FindMessage(type)) is null)
        {
            return NotFound($"message {type}");
        }

        var numbers = _schemas.Value.SelectMany(schema => schema.FindExtensions(type)).Select(extension => extension.FieldNumber).Distinct().Order();
        return new() { AllExtensionNumbersResponse = new() { BaseTypeName = type, ExtensionNumber = { numbers } } };
    }

    private ServerReflectionResponse Services()
    {
        var names = methods.Methods.Select(method => method.ServiceName).Distinct(StringComparer.Ordinal).Order(StringComparer.Ordinal);
        return new() { ListServicesResponse = new() { Service = { names.Select(name => new ServiceResponse { Name = name }) } } };
    }

    /// <summary>The file and everything it imports, the file first: clients take the first one for the answer.</summary>
    private ServerReflectionResponse Files(FileDescriptor file)
    {
        var response = new FileDescriptorResponse();
        HashSet<string> seen = [file.Name];
        Queue<FileDescriptor> open = new([file]);
        while (open.TryDequeue(out var next))
        {
            response.FileDescriptorProto.Add(_schemas.Value.First(schema => schema.FindFile(next.Name) is not null).SerializedFile(next.Name));
            foreach (var import in next.Dependencies.Where(import => seen.Add(import.Name)))
            {
                open.Enqueue(import);
            }
        }

        return new() { FileDescriptorResponse = response };
    }

    private T? Find<T>(Func<ProtoSchema, T?> find)
        where T : class => _schemas.Value.Select(find).FirstOrDefault(found => found is not null);

    private static ServerReflectionResponse NotFound(string what) => Error(StatusCode.NotFound, $"There is no {what}.");

    private static ServerReflectionResponse Error(StatusCode code, string message) =>
        new() { ErrorResponse = new() { ErrorCode = (int)code, ErrorMessage = message } };
}
