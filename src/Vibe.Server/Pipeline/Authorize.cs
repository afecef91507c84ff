using Grpc.Core;
using Vibe.Options.V1;
using Vibe.Server.Auth;

namespace Vibe.Server.Pipeline;

/// <summary>
/// Enforces the permission that the contract gives the method. It opens the door only: which collections and rows lie
/// behind it is decided by the token's scopes and PostgreSQL's row policies.
/// </summary>
internal sealed class Authorize : ICallStage
{
    /// <inheritdoc />
    public ValueTask RunAsync(ServerCallContext call, MethodPolicy method)
    {
        if (method.Permission == Permission.Public)
        {
            return ValueTask.CompletedTask;
        }

        var caller = call.GetCaller();
        if (!caller.IsSignedIn)
        {
            throw AuthErrors.TokenRequired();
        }

        return method.Permission switch
        {
            Permission.DocumentsWrite when caller.Scopes.Write.IsEmpty => throw AuthErrors.ScopeRequired("documents:<collection>:write"),
            Permission.Admin when !caller.Scopes.IsAdmin => throw AuthErrors.ScopeRequired("admin"),
            // An app that acts for a person has neither.
            Permission.Self when !caller.Scopes.IsAccount && caller.App != caller.Did => throw AuthErrors.ScopeRequired("account"),
            Permission.Account when !caller.Scopes.IsAccount => throw AuthErrors.ScopeRequired("account"),
            _ => ValueTask.CompletedTask,
        };
    }
}
