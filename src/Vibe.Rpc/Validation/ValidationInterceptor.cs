using Google.Protobuf;
using Google.Rpc;
using Grpc.Core;
using Grpc.Core.Interceptors;
using Microsoft.Extensions.Options;

namespace Vibe.Rpc.Validation;

/// <summary>
/// Refuses requests that break the <c>buf.validate</c> rules of their message with INVALID_ARGUMENT, before the handler sees them:
/// one <see cref="ErrorInfo"/>, and a <see cref="BadRequest"/> with every broken rule (at most 20). Each message of a client stream
/// is validated when it is read. Calls whose request type has no rules are not touched.
/// </summary>
/// <param name="options">Domain and reason of the error.</param>
public sealed class ValidationInterceptor(IOptions<ValidationOptions> options) : Interceptor
{
    private readonly ValidationOptions _options = options.Value;

    /// <inheritdoc/>
    public override Task<TResponse> UnaryServerHandler<TRequest, TResponse>(
        TRequest request, ServerCallContext context, UnaryServerMethod<TRequest, TResponse> continuation)
    {
        Validate(request);
        return continuation(request, context);
    }

    /// <inheritdoc/>
    public override Task ServerStreamingServerHandler<TRequest, TResponse>(
        TRequest request,
        IServerStreamWriter<TResponse> responseStream,
        ServerCallContext context,
        ServerStreamingServerMethod<TRequest, TResponse> continuation)
    {
        Validate(request);
        return continuation(request, responseStream, context);
    }

    /// <inheritdoc/>
    public override Task<TResponse> ClientStreamingServerHandler<TRequest, TResponse>(
        IAsyncStreamReader<TRequest> requestStream,
        ServerCallContext context,
        ClientStreamingServerMethod<TRequest, TResponse> continuation) => continuation(Validated(requestStream), context);

    /// <inheritdoc/>
    public override Task DuplexStreamingServerHandler<TRequest, TResponse>(
        IAsyncStreamReader<TRequest> requestStream,
        IServerStreamWriter<TResponse> responseStream,
        ServerCallContext context,
        DuplexStreamingServerMethod<TRequest, TResponse> continuation) => continuation(Validated(requestStream), responseStream, context);

    private IAsyncStreamReader<T> Validated<T>(IAsyncStreamReader<T> requests)
        where T : class => PlanOf<T>.Get() is { IsEmpty: true } ? requests : new ValidatingReader<T>(requests, this);

    private void Validate<T>(T request)
        where T : class
    {
        if (PlanOf<T>.Get() is { IsEmpty: false } plan && plan.Validate((IMessage)request) is { Count: > 0 } violations)
        {
            throw Error(violations);
        }
    }

    private RpcException Error(IReadOnlyList<BadRequest.Types.FieldViolation> violations)
    {
        var first = violations[0];
        var message = violations.Count == 1
            ? $"{first.Field}: {first.Description}"
            : $"{violations.Count} rules are broken; the first is {first.Field}: {first.Description}";
        return RpcErrors.Create(
            StatusCode.InvalidArgument, message, _options.Reason, _options.Domain, metadata: null, new BadRequest { FieldViolations = { violations } });
    }

    /// <summary>The plan of a request type without a dictionary on every call.</summary>
    private static class PlanOf<T>
        where T : class
    {
        private static ValidationPlan? Plan;

        // A request that is no protobuf message cannot have rules; the empty plan of a message without fields stands for it.
        public static ValidationPlan Get() => Plan ??= ValidationPlan.For(
            typeof(IMessage).IsAssignableFrom(typeof(T))
                ? ((IMessage)Activator.CreateInstance<T>()).Descriptor
                : Google.Protobuf.WellKnownTypes.Empty.Descriptor);
    }

    private sealed class ValidatingReader<T>(IAsyncStreamReader<T> requests, ValidationInterceptor interceptor) : IAsyncStreamReader<T>
        where T : class
    {
        public T Current => requests.Current;

        public async Task<bool> MoveNext(CancellationToken cancellationToken)
        {
            if (!await requests.MoveNext(cancellationToken))
            {
                return false;
            }

            interceptor.Validate(requests.Current);
            return true;
        }
    }
}
