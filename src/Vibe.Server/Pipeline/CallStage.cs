using Grpc.Core;

namespace Vibe.Server.Pipeline;

/// <summary>One thing that must hold before a handler runs. Stages run in the order of <see cref="CallPipeline"/>.</summary>
internal interface ICallStage
{
    /// <summary>Lets the call pass, or throws the error the client sees.</summary>
    ValueTask RunAsync(ServerCallContext call, MethodPolicy method);
}
