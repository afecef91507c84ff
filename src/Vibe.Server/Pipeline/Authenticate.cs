using Grpc.Core;
using Vibe.Server.Auth;
using Vibe.Server.Auth.Tokens;
using Vibe.Server.Kernel;

namespace Vibe.Server.Pipeline;

/// <summary>
/// Reads <c>Authorization: Bearer</c> (RFC 6750) or <c>Authorization: DPoP</c> (RFC 9449). No header is a signed-out visitor; a
/// bad one is an error.
/// </summary>
internal sealed class Authenticate(CallerCache callers, DpopProofs proofs, AuthOptions options) : ICallStage
{
    private const string Bearer = "Bearer ";
    private const string Dpop = "DPoP ";

    /// <inheritdoc />
    public ValueTask RunAsync(ServerCallContext call, MethodPolicy method)
    {
        var caller = CallerOfAsync(call, call.RequestHeaders.Get("authorization")?.Value);
        if (!caller.IsCompletedSuccessfully)
        {
            return SetAsync(call, caller);
        }

        call.SetCaller(caller.Result);
        return ValueTask.CompletedTask;
    }

    private static async ValueTask SetAsync(ServerCallContext call, ValueTask<Caller> caller) => call.SetCaller(await caller);

    private ValueTask<Caller> CallerOfAsync(ServerCallContext call, string? header)
    {
        if (string.IsNullOrEmpty(header))
        {
            return ValueTask.FromResult(Caller.SignedOut);
        }

        if (header.StartsWith(Bearer, StringComparison.OrdinalIgnoreCase))
        {
            var caller = callers.AuthenticateAsync(header[Bearer.Length..].Trim(), call.CancellationToken);
            return caller.IsCompletedSuccessfully ? ValueTask.FromResult(Unbound(caller.Result)) : UnboundAsync(caller);
        }

        return header.StartsWith(Dpop, StringComparison.OrdinalIgnoreCase) ? BoundAsync(call, header[Dpop.Length..].Trim()) : throw AuthErrors.TokenInvalid();
    }

    // A token that is bound to a key is worth nothing without it (RFC 9449 section 7.2): it may be stolen.
    private static Caller Unbound(Caller caller) => caller.KeyThumbprint is null ? caller : throw AuthErrors.ProofInvalid();

    private static async ValueTask<Caller> UnboundAsync(ValueTask<Caller> caller) => Unbound(await caller);

    private async ValueTask<Caller> BoundAsync(ServerCallContext call, string token)
    {
        var caller = await callers.AuthenticateAsync(token, call.CancellationToken);
        return caller.KeyThumbprint is { } key && key == KeyOf(call, token) ? caller : throw AuthErrors.ProofInvalid();
    }

    // The proof names the address that people know the server by, whatever a proxy makes of it.
    private string? KeyOf(ServerCallContext call, string token)
    {
        var request = call.GetHttpContext().Request;
        return request.Headers["DPoP"] is [{ } proof]
            ? proofs.Verify(proof, request.Method, options.Issuer + request.Path.ToUriComponent(), token)
            : null;
    }
}
