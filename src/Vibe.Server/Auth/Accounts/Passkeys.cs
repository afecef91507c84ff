using System.Text.Json;
using Microsoft.AspNetCore.Identity;
using Vibe.Postgres.Sessions;

namespace Vibe.Server.Auth.Accounts;

/// <summary>Signing up and in with passkeys, and adding them. Verification is the framework's; what it needs to be sure of is here.</summary>
internal sealed class Passkeys(
    Challenges challenges, PasskeyStore store, AccountStore accounts, Sessions sessions, AttemptLimits limits, Notices notices, Audit audit,
    AuthOptions auth, AccountOptions options, TimeProvider time)
{
    private const string SignInPurpose = "passkey.sign-in";
    private const string SignUpPurpose = "passkey.sign-up";
    private const string AddPurpose = "passkey.add";

    /// <summary>Options for a passkey of whoever it is: no name is typed, conditional and immediate mediation take them as well.</summary>
    public async Task<PasskeyOptions> StartSignInAsync(HttpContext http, CancellationToken cancellationToken)
    {
        await limits.TakeAsync(AttemptKind.Passkey, http, account: null, cancellationToken);
        var made = await HandlerOf(http).MakeRequestOptionsAsync(null, http);
        var id = await challenges.CreateAsync(http, SignInPurpose, did: null, made.AssertionState ?? "", new NoFields(), cancellationToken);
        return new PasskeyOptions(id, made.RequestOptionsJson);
    }

    /// <summary>Signs in.</summary>
    /// <exception cref="Grpc.Core.RpcException">SIGN_IN_FAILED, ACCOUNT_DISABLED.</exception>
    public async Task<Session> SignInAsync(HttpContext http, PasskeyAnswer answer, CancellationToken cancellationToken)
    {
        await limits.TakeAsync(AttemptKind.Passkey, http, account: null, cancellationToken);
        var challenge = await challenges.TakeAsync(http, answer.ChallengeId, SignInPurpose, cancellationToken) ?? throw AccountErrors.SignInFailed();
        var result = await HandlerOf(http).PerformAssertionAsync(
            new PasskeyAssertionContext { HttpContext = http, CredentialJson = answer.CredentialJson, AssertionState = challenge.State });
        if (!result.Succeeded || !result.Passkey.IsUserVerified || !await store.UseAsync(result.Passkey, cancellationToken))
        {
            throw AccountErrors.SignInFailed();
        }

        return await sessions.SignInAsync(http, result.User.Did, MethodsOf(result.Passkey), cancellationToken);
    }

    /// <summary>Options for the first passkey of a new account.</summary>
    /// <exception cref="Grpc.Core.RpcException">INVALID_ARGUMENT, HANDLE_TAKEN.</exception>
    public async Task<PasskeyOptions> StartSignUpAsync(HttpContext http, string? handle, string? displayName, CancellationToken cancellationToken)
    {
        await limits.TakeAsync(AttemptKind.SignUp, http, account: null, cancellationToken);
        var wish = new SignUpWish(
            auth.DidOf("users", Guid.CreateVersion7(time.GetUtcNow())), Handles.Read(handle, "handle"), PersonNames.Read(displayName, "displayName"));
        if (!await accounts.IsHandleFreeAsync(wish.Handle, cancellationToken))
        {
            throw AccountErrors.HandleTaken(wish.Handle);
        }

        var made = await HandlerOf(http).MakeCreationOptionsAsync(EntityOf(wish.Did, wish.Handle, wish.DisplayName), http);
        var id = await challenges.CreateAsync(http, SignUpPurpose, wish.Did, made.AttestationState ?? "", wish, cancellationToken);
        return new PasskeyOptions(id, made.CreationOptionsJson);
    }

    /// <summary>Makes the account and signs in.</summary>
    /// <exception cref="Grpc.Core.RpcException">SIGN_IN_FAILED, HANDLE_TAKEN.</exception>
    public async Task<Session> SignUpAsync(HttpContext http, PasskeyAnswer answer, CancellationToken cancellationToken)
    {
        await limits.TakeAsync(AttemptKind.SignUp, http, account: null, cancellationToken);
        var challenge = await challenges.TakeAsync(http, answer.ChallengeId, SignUpPurpose, cancellationToken) ?? throw AccountErrors.SignInFailed();
        var passkey = await VerifyNewAsync(http, answer, challenge);
        var wish = JsonSerializer.Deserialize<SignUpWish>(challenge.Details.Span)!;
        Sql account = accounts.Insert(new NewAccount(wish.Did, wish.Handle, wish.DisplayName, PasswordHash: null));
        await WriteNewAsync(() => accounts.WriteHandleAsync(
            wish.Handle,
            $"with made as ({account}) {PasskeyStore.Insert($"select did from made", Guid.CreateVersion7(time.GetUtcNow()), passkey, time.GetUtcNow())}",
            cancellationToken));
        await audit.WriteAsync("account.create", wish.Did, http, cancellationToken);
        return await sessions.SignInAsync(http, wish.Did, MethodsOf(passkey), cancellationToken);
    }

    /// <summary>Options for another passkey of the person who is signed in.</summary>
    /// <exception cref="Grpc.Core.RpcException">SIGN_IN_REQUIRED.</exception>
    public async Task<PasskeyOptions> StartAddingAsync(HttpContext http, CancellationToken cancellationToken)
    {
        var session = await RequireAsync(http, cancellationToken);
        var made = await HandlerOf(http).MakeCreationOptionsAsync(EntityOf(session.Did, session.Handle, session.DisplayName), http);
        var id = await challenges.CreateAsync(http, AddPurpose, session.Did, made.AttestationState ?? "", new NoFields(), cancellationToken);
        return new PasskeyOptions(id, made.CreationOptionsJson);
    }

    /// <summary>
    /// Adds a passkey. Whoever came by a mail link alone gets one that works a day later, and the account's addresses are told:
    /// a mailbox that was broken into must not be enough to take an account.
    /// </summary>
    /// <exception cref="Grpc.Core.RpcException">SIGN_IN_REQUIRED, SIGN_IN_FAILED.</exception>
    public async Task<PasskeyRow> AddAsync(HttpContext http, PasskeyAnswer answer, string? name, CancellationToken cancellationToken)
    {
        var session = await RequireAsync(http, cancellationToken);
        var challenge = await challenges.TakeAsync(http, answer.ChallengeId, AddPurpose, cancellationToken);
        if (challenge is null || challenge.Did != session.Did)
        {
            throw AccountErrors.SignInFailed();
        }

        var passkey = await VerifyNewAsync(http, answer, challenge);
        passkey.Name = PersonNames.Read(name, "name");
        var now = time.GetUtcNow();
        var (id, activeTime) = (Guid.CreateVersion7(now), session.IsStrong ? now : now + options.MailPasskeyDelay);
        await WriteNewAsync(() => store.AddAsync(session.Did, id, passkey, activeTime, cancellationToken));
        await audit.WriteAsync("passkey.add", session.Did, http, cancellationToken);
        await notices.PasskeyAddedAsync(session.Did, session.IsStrong ? null : activeTime, cancellationToken);
        return new PasskeyRow
        {
            Id = id, Name = passkey.Name, IsSynced = passkey.IsBackupEligible, CreateTime = passkey.CreatedAt, ActiveTime = activeTime, LastUseTime = null,
        };
    }

    // Of a session that is not strong only a new one will do: what an old one began must not be taken up by who finds the browser.
    private async Task<Session> RequireAsync(HttpContext http, CancellationToken cancellationToken)
    {
        var session = await sessions.RequireAsync(http, cancellationToken);
        return session.AuthTime > time.GetUtcNow() - AccountOptions.Freshness ? session : throw AuthErrors.SignInRequired();
    }

    private static async Task<UserPasskeyInfo> VerifyNewAsync(HttpContext http, PasskeyAnswer answer, Challenge challenge)
    {
        var result = await HandlerOf(http).PerformAttestationAsync(
            new PasskeyAttestationContext { HttpContext = http, CredentialJson = answer.CredentialJson, AttestationState = challenge.State });
        return result.Succeeded && result.Passkey.IsUserVerified ? result.Passkey : throw AccountErrors.SignInFailed();
    }

    // The handler looked whether the credential is known; two at once are told apart by the key.
    private static async Task WriteNewAsync(Func<Task> write)
    {
        try
        {
            await write();
        }
        catch (DatabaseException exception) when (exception is { Kind: DatabaseErrorKind.UniqueViolation, Constraint: "passkeys_pkey" })
        {
            throw AccountErrors.SignInFailed();
        }
    }

    // The framework's services are scoped to a request.
    private static IPasskeyHandler<VibeUser> HandlerOf(HttpContext http) => http.RequestServices.GetRequiredService<IPasskeyHandler<VibeUser>>();

    private static PasskeyUserEntity EntityOf(string did, string handle, string displayName) =>
        new() { Id = VibeUser.IdOf(did), Name = handle, DisplayName = displayName.Length == 0 ? handle : displayName };

    private static string[] MethodsOf(UserPasskeyInfo passkey) =>
        [passkey.IsBackupEligible ? AuthMethod.SyncedKey : AuthMethod.DeviceKey, AuthMethod.UserVerified, AuthMethod.Multiple];

    private sealed record SignUpWish(string Did, string Handle, string DisplayName);
}

/// <summary>What a page hands to the browser, and the name of the challenge in it.</summary>
/// <param name="ChallengeId">To be sent back.</param>
/// <param name="Json">PublicKeyCredentialCreationOptionsJSON or PublicKeyCredentialRequestOptionsJSON (WebAuthn section 5.1).</param>
internal sealed record PasskeyOptions(Guid ChallengeId, string Json);

/// <summary>What came back.</summary>
/// <param name="ChallengeId">The challenge it answers.</param>
/// <param name="CredentialJson">RegistrationResponseJSON or AuthenticationResponseJSON.</param>
internal sealed record PasskeyAnswer(string? ChallengeId, string CredentialJson);
