using Grpc.Core;
using Vibe.Server.Auth;
using Vibe.Server.Auth.Tokens;
using Vibe.Server.Kernel;

namespace Vibe.Server.Pipeline;

/// <summary>Reads <c>Authorization: Bearer</c> (RFC 6750). No header is a signed-out visitor; a bad one is an error.</summary>
internal sealed class Authenticate(CallerCache callers) : ICallStage
{
    private const string Scheme = "Bearer ";

    /// <inheritdoc />
    public ValueTask RunAsync(ServerCallContext call, MethodPolicy method)
    {
        call.SetCaller(CallerOf(call.RequestHeaders.Get("authorization")?.Value));
        return ValueTask.CompletedTask;
    }

    private Caller CallerOf(string? header)
    {
        if (string.IsNullOrEmpty(header))
        {
            return Caller.SignedOut;
        }

        return header.StartsWith(Scheme, StringComparison.OrdinalIgnoreCase)
            ? callers.Authenticate(header[Scheme.Length..].Trim())
            : throw AuthErrors.TokenInvalid();
    }
}
