namespace Vibe.Server.Auth.Accounts;

/// <summary>Signing up and in with a password, and changing it.</summary>
internal sealed class PasswordSignIn(
    AccountStore accounts, Passwords passwords, Sessions sessions, SessionStore sessionStore, AttemptLimits limits, Notices notices, Audit audit,
    AuthOptions auth, TimeProvider time)
{
    /// <summary>Makes an account and signs in.</summary>
    /// <exception cref="Grpc.Core.RpcException">INVALID_ARGUMENT, HANDLE_TAKEN.</exception>
    public async Task<Session> SignUpAsync(HttpContext http, string? handle, string? displayName, string? password, CancellationToken cancellationToken)
    {
        await limits.TakeAsync(AttemptKind.SignUp, http, account: null, cancellationToken);
        var name = Handles.Read(handle, "handle");
        var shown = PersonNames.Read(displayName, "displayName");
        var chosen = Passwords.Read(password, name, "password");
        if (!await accounts.IsHandleFreeAsync(name, cancellationToken))
        {
            throw AccountErrors.HandleTaken(name);
        }

        var did = auth.DidOf("users", Guid.CreateVersion7(time.GetUtcNow()));
        await accounts.CreateAsync(new NewAccount(did, name, shown, await passwords.HashAsync(chosen, cancellationToken)), cancellationToken);
        await audit.WriteAsync("account.create", did, http, cancellationToken);
        return await sessions.SignInAsync(http, did, [AuthMethod.Password], cancellationToken);
    }

    /// <summary>Signs in. An unknown name costs a hash as well.</summary>
    /// <exception cref="Grpc.Core.RpcException">SIGN_IN_FAILED, ACCOUNT_DISABLED, RATE_LIMITED.</exception>
    public async Task<Session> SignInAsync(HttpContext http, string? identifier, string? password, CancellationToken cancellationToken)
    {
        var who = Identifier.Read(identifier);
        await limits.TakeAsync(AttemptKind.Password, http, who.Text, cancellationToken);
        var row = await accounts.FindPasswordAsync(who, cancellationToken);
        return await passwords.VerifyAsync(row?.Hash, password, cancellationToken)
            ? await sessions.SignInAsync(http, row!.Did, [AuthMethod.Password], cancellationToken)
            : throw AccountErrors.SignInFailed();
    }

    /// <summary>Sets another password, by the old one or after a fresh sign-in. Other browsers are signed out.</summary>
    /// <exception cref="Grpc.Core.RpcException">SIGN_IN_REQUIRED, SIGN_IN_FAILED, INVALID_ARGUMENT.</exception>
    public async Task ChangeAsync(HttpContext http, string? current, string? next, CancellationToken cancellationToken)
    {
        var session = await sessions.RequireAsync(http, cancellationToken);
        var chosen = Passwords.Read(next, session.Handle, "newPassword");
        if (current is { Length: > 0 })
        {
            await limits.TakeAsync(AttemptKind.Password, http, session.Handle, cancellationToken);
            if (!await passwords.VerifyAsync(await accounts.FindPasswordHashAsync(session.Did, cancellationToken), current, cancellationToken))
            {
                throw AccountErrors.SignInFailed();
            }
        }
        else
        {
            await sessions.RequireFreshAsync(http, cancellationToken);
        }

        await accounts.SetPasswordAsync(session.Did, await passwords.HashAsync(chosen, cancellationToken), cancellationToken);
        foreach (var other in await sessionStore.ListIdsAsync(session.Did, cancellationToken))
        {
            if (other != session.Id)
            {
                await sessions.RevokeAsync(other, "password changed", cancellationToken);
            }
        }

        await audit.WriteAsync("password.change", session.Did, http, cancellationToken);
        await notices.PasswordChangedAsync(session.Did, cancellationToken);
    }
}
