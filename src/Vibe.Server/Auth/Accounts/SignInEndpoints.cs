using System.Text.Json;
using System.Text.Json.Nodes;

namespace Vibe.Server.Auth.Accounts;

/// <summary>What the hosted pages call to sign people up and in. Listed in docs/protocol.md.</summary>
internal static class SignInEndpoints
{
    /// <summary>Maps them.</summary>
    public static void MapSignInEndpoints(this IEndpointRouteBuilder endpoints)
    {
        MapPasskeys(endpoints);
        MapPasswords(endpoints);
        MapMail(endpoints);
        MapRecovery(endpoints);
        endpoints.MapPagePost<NoFields, AccountTokenAnswer>("/auth/account-token", static (http, _, cancellationToken) =>
            Get<AccountTokens>(http).IssueAsync(http, cancellationToken));
        endpoints.MapPagePost<HandleRequest, HandleAnswer>("/auth/handle", static async (http, request, cancellationToken) =>
        {
            await Get<AttemptLimits>(http).TakeAsync(AttemptKind.HandleCheck, http, account: null, cancellationToken);
            var handle = Handles.Read(request.Handle, "handle");
            return new HandleAnswer(handle, await Get<AccountStore>(http).IsHandleFreeAsync(handle, cancellationToken));
        });
    }

    private static void MapPasskeys(IEndpointRouteBuilder endpoints)
    {
        endpoints.MapPagePost<NoFields, OptionsAnswer>("/auth/passkeys/sign-in/options", static async (http, _, cancellationToken) =>
            OptionsAnswer.Of(await Get<Passkeys>(http).StartSignInAsync(http, cancellationToken)));
        endpoints.MapPagePost<CredentialRequest, SignedInAnswer>("/auth/passkeys/sign-in", static async (http, request, cancellationToken) =>
            SignedInAnswer.Of(await Get<Passkeys>(http).SignInAsync(http, request.ToAnswer(), cancellationToken)));
        endpoints.MapPagePost<SignUpRequest, OptionsAnswer>("/auth/passkeys/sign-up/options", static async (http, request, cancellationToken) =>
            OptionsAnswer.Of(await Get<Passkeys>(http).StartSignUpAsync(http, request.Handle, request.DisplayName, cancellationToken)));
        endpoints.MapPagePost<CredentialRequest, SignedInAnswer>("/auth/passkeys/sign-up", static async (http, request, cancellationToken) =>
            SignedInAnswer.Of(await Get<Passkeys>(http).SignUpAsync(http, request.ToAnswer(), cancellationToken)));
        endpoints.MapPagePost<NoFields, OptionsAnswer>("/auth/passkeys/add/options", static async (http, _, cancellationToken) =>
            OptionsAnswer.Of(await Get<Passkeys>(http).StartAddingAsync(http, cancellationToken)));
        endpoints.MapPagePost<CredentialRequest, PasskeyAddedAnswer>("/auth/passkeys/add", static async (http, request, cancellationToken) =>
        {
            var passkey = await Get<Passkeys>(http).AddAsync(http, request.ToAnswer(), request.Name, cancellationToken);
            return new PasskeyAddedAnswer(passkey.Id, passkey.Name, passkey.ActiveTime);
        });
    }

    private static void MapPasswords(IEndpointRouteBuilder endpoints)
    {
        endpoints.MapPagePost<PasswordRequest, SignedInAnswer>("/auth/password/sign-in", static async (http, request, cancellationToken) =>
            SignedInAnswer.Of(await Get<PasswordSignIn>(http).SignInAsync(http, request.Identifier, request.Password, cancellationToken)));
        endpoints.MapPagePost<SignUpRequest, SignedInAnswer>("/auth/password/sign-up", static async (http, request, cancellationToken) =>
            SignedInAnswer.Of(await Get<PasswordSignIn>(http).SignUpAsync(http, request.Handle, request.DisplayName, request.Password, cancellationToken)));
        endpoints.MapPagePost<ChangePasswordRequest, NoFields>("/auth/password/change", static async (http, request, cancellationToken) =>
        {
            await Get<PasswordSignIn>(http).ChangeAsync(http, request.CurrentPassword, request.NewPassword, cancellationToken);
            return new NoFields();
        });
    }

    private static void MapMail(IEndpointRouteBuilder endpoints)
    {
        endpoints.MapPagePost<MailSignInRequest, NoFields>("/auth/mail/sign-in", static async (http, request, cancellationToken) =>
        {
            await Get<MailLinks>(http).StartSignInAsync(http, request.Identifier, request.RequestId, cancellationToken);
            return new NoFields();
        });
        endpoints.MapPagePost<AddressRequest, NoFields>("/auth/mail/add", static async (http, request, cancellationToken) =>
        {
            await Get<MailLinks>(http).StartAddingAsync(http, request.Address, cancellationToken);
            return new NoFields();
        });
        endpoints.MapPagePost<SecretRequest, SignedInAnswer>("/auth/mail/confirm", static async (http, request, cancellationToken) =>
        {
            var (session, requestId) = await Get<MailLinks>(http).ConfirmAsync(http, request.Secret, cancellationToken);
            return SignedInAnswer.Of(session) with { RequestId = requestId };
        });
    }

    private static void MapRecovery(IEndpointRouteBuilder endpoints)
    {
        endpoints.MapPagePost<RecoveryRequest, SignedInAnswer>("/auth/recovery/sign-in", static async (http, request, cancellationToken) =>
            SignedInAnswer.Of(await Get<RecoveryCodes>(http).SignInAsync(http, request.Identifier, request.Code, cancellationToken)));
        endpoints.MapPagePost<NoFields, CodesAnswer>("/auth/recovery/codes", static async (http, _, cancellationToken) =>
            new CodesAnswer(await Get<RecoveryCodes>(http).RenewAsync(http, cancellationToken)));
    }

    private static T Get<T>(HttpContext http)
        where T : notnull => http.RequestServices.GetRequiredService<T>();

    private sealed record HandleRequest(string? Handle);

    private sealed record HandleAnswer(string Handle, bool Available);

    private sealed record SignUpRequest(string? Handle, string? DisplayName, string? Password);

    private sealed record PasswordRequest(string? Identifier, string? Password);

    private sealed record ChangePasswordRequest(string? CurrentPassword, string? NewPassword);

    private sealed record MailSignInRequest(string? Identifier, string? RequestId);

    private sealed record AddressRequest(string? Address);

    private sealed record SecretRequest(string? Secret);

    private sealed record RecoveryRequest(string? Identifier, string? Code);

    private sealed record CodesAnswer(IReadOnlyList<string> Codes);

    private sealed record PasskeyAddedAnswer(Guid Id, string Name, DateTimeOffset ActiveTime);

    private sealed record SignedInAnswer(AccountAnswer Account, string? RequestId)
    {
        public static SignedInAnswer Of(Session session) => new(AccountAnswer.Of(session), RequestId: null);
    }

    private sealed record OptionsAnswer(Guid ChallengeId, JsonNode? Options)
    {
        public static OptionsAnswer Of(PasskeyOptions options) => new(options.ChallengeId, JsonNode.Parse(options.Json));
    }

    private sealed record CredentialRequest(string? ChallengeId, JsonElement Credential, string? Name)
    {
        public PasskeyAnswer ToAnswer() => new(ChallengeId, Credential.ValueKind == JsonValueKind.Object ? Credential.GetRawText() : "{}");
    }
}
