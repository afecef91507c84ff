using System.Collections.Frozen;
using Grpc.Core;
using Grpc.Core.Interceptors;
using Vibe.Postgres.Sessions;

namespace Vibe.Server.Pipeline;

/// <summary>
/// What happens to every call before its handler, whatever protocol it came by: the stages in their order, and the one
/// place where failures of the database become errors of the contract.
/// </summary>
internal sealed class CallPipeline(
    FrozenDictionary<string, MethodPolicy> policies, Authenticate authenticate, Limit limit, Authorize authorize, Consistency consistency)
    : Interceptor
{
    // Who, how much, may they, how fresh. Limits count before permissions, so that guessing has a price too.
    private readonly ICallStage[] _stages = [authenticate, limit, authorize, consistency];

    /// <inheritdoc />
    public override Task<TResponse> UnaryServerHandler<TRequest, TResponse>(
        TRequest request, ServerCallContext context, UnaryServerMethod<TRequest, TResponse> continuation) =>
        RunAsync(context, (request, continuation), static (call, state) => state.continuation(state.request, call));

    /// <inheritdoc />
    public override Task ServerStreamingServerHandler<TRequest, TResponse>(
        TRequest request, IServerStreamWriter<TResponse> responseStream, ServerCallContext context,
        ServerStreamingServerMethod<TRequest, TResponse> continuation) =>
        RunAsync(context, (request, responseStream, continuation), static async (call, state) =>
        {
            await state.continuation(state.request, state.responseStream, call);
            return true;
        });

    /// <inheritdoc />
    public override Task<TResponse> ClientStreamingServerHandler<TRequest, TResponse>(
        IAsyncStreamReader<TRequest> requestStream, ServerCallContext context, ClientStreamingServerMethod<TRequest, TResponse> continuation) =>
        RunAsync(context, (requestStream, continuation), static (call, state) => state.continuation(state.requestStream, call));

    /// <inheritdoc />
    public override Task DuplexStreamingServerHandler<TRequest, TResponse>(
        IAsyncStreamReader<TRequest> requestStream, IServerStreamWriter<TResponse> responseStream, ServerCallContext context,
        DuplexStreamingServerMethod<TRequest, TResponse> continuation) =>
        RunAsync(context, (requestStream, responseStream, continuation), static async (call, state) =>
        {
            await state.continuation(state.requestStream, state.responseStream, call);
            return true;
        });

    private async Task<TResult> RunAsync<TState, TResult>(
        ServerCallContext call, TState state, Func<ServerCallContext, TState, Task<TResult>> handler)
    {
        try
        {
            await EnterAsync(call);
            return await handler(call, state);
        }
        catch (DatabaseException exception) when (Failure.Translate(exception) is { } translated)
        {
            throw translated;
        }
    }

    private ValueTask EnterAsync(ServerCallContext call)
    {
        var policy = policies.GetValueOrDefault(call.Method) ?? MethodPolicy.OfPublicContract(call.Method)
            ?? throw new InvalidOperationException($"{call.Method} has no policy.");
        for (var index = 0; index < _stages.Length; index++)
        {
            var stage = _stages[index].RunAsync(call, policy);
            if (!stage.IsCompletedSuccessfully)
            {
                return RestAsync(stage, index + 1, call, policy);
            }
        }

        return ValueTask.CompletedTask;
    }

    private async ValueTask RestAsync(ValueTask pending, int next, ServerCallContext call, MethodPolicy policy)
    {
        await pending;
        for (; next < _stages.Length; next++)
        {
            await _stages[next].RunAsync(call, policy);
        }
    }
}
