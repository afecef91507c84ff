using Grpc.Core;
using Grpc.Reflection.V1;

namespace Vibe.Rpc.Reflection;

/// <summary>grpc.reflection.v1.</summary>
internal sealed class ReflectionService(ReflectionAnswers answers) : ServerReflection.ServerReflectionBase
{
    public override async Task ServerReflectionInfo(
        IAsyncStreamReader<ServerReflectionRequest> requestStream,
        IServerStreamWriter<ServerReflectionResponse> responseStream,
        ServerCallContext context)
    {
        await foreach (var question in requestStream.ReadAllAsync(context.CancellationToken))
        {
            await responseStream.WriteAsync(answers.Answer(question), context.CancellationToken);
        }
    }
}
