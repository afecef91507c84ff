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
        call.SetCaller(CallerOf(call, call.RequestHeaders.Get("authorization")?.Value));
        return ValueTask.CompletedTask;
    }

    private Caller CallerOf(ServerCallContext call, string? header)
    {
        if (string.IsNullOrEmpty(header))
        {
            return Caller.SignedOut;
        }

        if (header.StartsWith(Bearer, StringComparison.OrdinalIgnoreCase))
        {
            // A token that is bound to a key is worth nothing without it (RFC 9449 section 7.2): it may be stolen.
            var caller = callers.Authenticate(header[Bearer.Length..].Trim());
            return caller.KeyThumbprint is null ? caller : throw AuthErrors.ProofInvalid();
        }

        if (header.StartsWith(Dpop, StringComparison.OrdinalIgnoreCase))
        {
            var token = header[Dpop.Length..].Trim();
            var caller = callers.Authenticate(token);
            return caller.KeyThumbprint is { } key && key == KeyOf(call, token) ? caller : throw AuthErrors.ProofInvalid();
        }

        throw AuthErrors.TokenInvalid();
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
