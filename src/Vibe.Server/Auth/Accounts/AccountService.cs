using Grpc.Core;
using Vibe.Auth.V1;
using Vibe.Server.Auth.OAuth;
using Vibe.Server.Kernel;
using Vibe.Server.Pipeline;

namespace Vibe.Server.Auth.Accounts;

/// <summary>The account API: what it does is said in the contract.</summary>
internal sealed class AccountService(
    AccountStore accounts, AccountDeletion deletion, AccountExport export, AccountUpkeep upkeep, Sessions sessions, SessionStore sessionStore,
    PasskeyStore passkeys, Grants grants, Clients clients, AttemptLimits limits, Audit audit, PageTokens tokens, AccountOptions options, TimeProvider time)
    : Vibe.Auth.V1.AccountService.AccountServiceBase
{
    private const int DefaultPage = 50;
    private const int MaxPage = 200;
    private const int MaxLocale = 35;

    /// <inheritdoc/>
    public override async Task<GetAccountResponse> GetAccount(GetAccountRequest request, ServerCallContext context)
    {
        var did = DidOf(context);
        return new() { Account = (await accounts.FindAsync(did, context.CancellationToken) ?? throw AccountErrors.NotFound(did)).ToProto() };
    }

    /// <inheritdoc/>
    public override async Task<UpdateAccountResponse> UpdateAccount(UpdateAccountRequest request, ServerCallContext context)
    {
        var (did, wish, cancellationToken) = (DidOf(context), request.Account, context.CancellationToken);
        var mask = MaskOf(request);
        var account = await accounts.FindAsync(did, cancellationToken) ?? throw AccountErrors.NotFound(did);
        var displayName = mask.Contains("display_name") ? PersonNames.Read(wish.DisplayName, "account.displayName") : account.DisplayName;
        var locale = mask.Contains("locale") ? ReadLocale(wish.Locale) : account.Locale;
        var handle = mask.Contains("handle") ? Handles.Read(wish.Handle, "account.handle") : account.Handle;
        if (handle != account.Handle)
        {
            await RequireFreshAsync(context);
            await limits.TakeAsync(AttemptKind.Handle, context.GetHttpContext(), did, cancellationToken);
            await accounts.ChangeHandleAsync(did, handle, cancellationToken);
            await TellAsync("handle.change", context, ("from", account.Handle), ("to", handle));
        }

        await accounts.UpdateAsync(did, displayName, locale, cancellationToken);
        return new() { Account = (await accounts.FindAsync(did, cancellationToken) ?? throw AccountErrors.NotFound(did)).ToProto() };
    }

    /// <inheritdoc/>
    public override async Task<DeleteAccountResponse> DeleteAccount(DeleteAccountRequest request, ServerCallContext context)
    {
        await RequireFreshAsync(context);
        await deletion.DeleteAsync(DidOf(context), request.Handle, context.CancellationToken);
        upkeep.Wake();
        return new();
    }

    /// <inheritdoc/>
    public override async Task ExportAccount(
        ExportAccountRequest request, IServerStreamWriter<ExportAccountResponse> responseStream, ServerCallContext context)
    {
        await RequireFreshAsync(context);
        var did = DidOf(context);
        await TellAsync("account.export", context);
        await foreach (var item in export.ReadAsync(did, SessionOf(context), context.CancellationToken))
        {
            await responseStream.WriteAsync(item, context.CancellationToken);
        }
    }

    /// <inheritdoc/>
    public override async Task<ListSessionsResponse> ListSessions(ListSessionsRequest request, ServerCallContext context)
    {
        var rows = await sessionStore.ListAsync(DidOf(context), time.GetUtcNow(), options.SessionIdle, context.CancellationToken);
        return new() { Sessions = { rows.Select(row => row.ToProto(SessionOf(context))) } };
    }

    /// <inheritdoc/>
    public override async Task<RevokeSessionResponse> RevokeSession(RevokeSessionRequest request, ServerCallContext context)
    {
        if (!Guid.TryParse(request.SessionId, out var id) || (await sessions.FindAsync(id, context.CancellationToken))?.Did != DidOf(context))
        {
            throw AccountErrors.SessionNotFound(request.SessionId);
        }

        await sessions.RevokeAsync(id, "session revoked", context.CancellationToken);
        await TellAsync("session.revoke", context, ("session", id.ToString()));
        return new();
    }

    /// <inheritdoc/>
    public override async Task<ListPasskeysResponse> ListPasskeys(ListPasskeysRequest request, ServerCallContext context) =>
        new() { Passkeys = { (await passkeys.ListAsync(DidOf(context), context.CancellationToken)).Select(AccountMapping.ToProto) } };

    /// <inheritdoc/>
    public override async Task<RenamePasskeyResponse> RenamePasskey(RenamePasskeyRequest request, ServerCallContext context)
    {
        var name = PersonNames.Read(request.Name, "name");
        return Guid.TryParse(request.PasskeyId, out var id) && await passkeys.RenameAsync(DidOf(context), id, name, context.CancellationToken)
            ? new()
            : throw AccountErrors.PasskeyNotFound(request.PasskeyId);
    }

    /// <inheritdoc/>
    public override async Task<DeletePasskeyResponse> DeletePasskey(DeletePasskeyRequest request, ServerCallContext context)
    {
        var did = DidOf(context);
        var known = await passkeys.ListAsync(did, context.CancellationToken);
        if (!Guid.TryParse(request.PasskeyId, out var id) || known.FirstOrDefault(row => row.Id == id) is not { } passkey)
        {
            throw AccountErrors.PasskeyNotFound(request.PasskeyId);
        }

        // Whoever is told of a passkey that a mail link added must be able to stop it without much ado.
        if (passkey.ActiveTime <= time.GetUtcNow())
        {
            await RequireFreshAsync(context);
        }

        switch (await passkeys.DeleteAsync(did, id, context.CancellationToken))
        {
            case PasskeyRemoval.IsLast:
                throw AccountErrors.LastCredential();
            case PasskeyRemoval.NotThere:
                throw AccountErrors.PasskeyNotFound(request.PasskeyId);
            default:
                await TellAsync("passkey.remove", context, ("name", passkey.Name));
                return new();
        }
    }

    /// <inheritdoc/>
    public override async Task<ListEmailAddressesResponse> ListEmailAddresses(ListEmailAddressesRequest request, ServerCallContext context) =>
        new() { EmailAddresses = { (await accounts.ListAddressesAsync(DidOf(context), context.CancellationToken)).Select(AccountMapping.ToProto) } };

    /// <inheritdoc/>
    public override async Task<DeleteEmailAddressResponse> DeleteEmailAddress(DeleteEmailAddressRequest request, ServerCallContext context)
    {
        await RequireFreshAsync(context);
        if (!await accounts.DeleteAddressAsync(DidOf(context), request.Address.Trim().ToLowerInvariant(), context.CancellationToken))
        {
            throw AccountErrors.AddressNotFound(request.Address);
        }

        await TellAsync("email.remove", context);
        return new();
    }

    /// <inheritdoc/>
    public override async Task<ListGrantsResponse> ListGrants(ListGrantsRequest request, ServerCallContext context)
    {
        var response = new ListGrantsResponse();
        foreach (var grant in await grants.ListAsync(DidOf(context), context.CancellationToken))
        {
            response.Grants.Add(grant.ToProto(await clients.FindAsync(grant.App, context.CancellationToken)));
        }

        return response;
    }

    /// <inheritdoc/>
    public override async Task<RevokeGrantResponse> RevokeGrant(RevokeGrantRequest request, ServerCallContext context)
    {
        var did = DidOf(context);
        if (!await grants.RevokeAsync(did, request.App, context.CancellationToken))
        {
            throw AccountErrors.GrantNotFound(request.App);
        }

        await audit.WriteAsync(
            new AuditEvent { Type = "grant.revoke", Did = did, App = request.App, Actor = did, Network = NetworkOf(context) }, context.CancellationToken);
        return new();
    }

    /// <inheritdoc/>
    public override async Task<ListAuditEventsResponse> ListAuditEvents(ListAuditEventsRequest request, ServerCallContext context)
    {
        var did = DidOf(context);
        var size = request.PageSize == 0 ? DefaultPage : Math.Min(request.PageSize, MaxPage);
        var page = new PageQuery(context.GetCaller(), "ListAuditEvents");
        Guid? before = request.PageToken.Length == 0 ? null : new Guid(tokens.Open(page, request.PageToken));
        var rows = await audit.ListAsync(did, before, size + 1, context.CancellationToken);
        return new()
        {
            AuditEvents = { rows.Take(size).Select(AccountMapping.ToProto) },
            NextPageToken = rows.Count > size ? tokens.Issue(page, rows[size - 1].Id.ToByteArray()) : "",
        };
    }

    // The permission of every method here: a caller with a DID.
    private static string DidOf(ServerCallContext context) => context.GetCaller().Did!;

    private static Guid? SessionOf(ServerCallContext context) => Guid.TryParse(context.GetCaller().Grant, out var id) ? id : null;

    private static string NetworkOf(ServerCallContext context) => NetworkPrefix.Of(context.GetHttpContext().Connection.RemoteIpAddress);

    private async Task RequireFreshAsync(ServerCallContext context)
    {
        var session = SessionOf(context) is { } id ? await sessions.FindAsync(id, context.CancellationToken) : null;
        if (session is null || session.Did != DidOf(context) || !session.IsFresh(time.GetUtcNow()))
        {
            throw AuthErrors.SignInRequired();
        }
    }

    private Task TellAsync(string type, ServerCallContext context, params ReadOnlySpan<(string Name, string Value)> details)
    {
        var (did, known) = (DidOf(context), new Dictionary<string, string>());
        foreach (var (name, value) in details)
        {
            known[name] = value;
        }

        return audit.WriteAsync(
            new AuditEvent { Type = type, Did = did, Actor = did, Network = NetworkOf(context), Details = known }, context.CancellationToken);
    }

    private static HashSet<string> MaskOf(UpdateAccountRequest request)
    {
        if (request.UpdateMask.FirstOrDefault(static path => path is not ("display_name" or "displayName" or "locale" or "handle")) is { } unknown)
        {
            throw VibeError.InvalidField("updateMask", $"names \"{unknown}\", which is no field that can be changed", "account.updateMask");
        }

        return request.UpdateMask.Count > 0
            ? [.. request.UpdateMask.Select(static path => path == "displayName" ? "display_name" : path)]
            : [.. Given(request.Account)];

        static IEnumerable<string> Given(Account account)
        {
            if (account.DisplayName.Length > 0)
            {
                yield return "display_name";
            }

            if (account.Locale.Length > 0)
            {
                yield return "locale";
            }

            if (account.Handle.Length > 0)
            {
                yield return "handle";
            }
        }
    }

    private static string ReadLocale(string text) =>
        text.Length <= MaxLocale && text.All(static c => char.IsAsciiLetterOrDigit(c) || c == '-')
            ? text
            : throw VibeError.InvalidField("account.locale", "is no language tag (BCP 47)", "account.locale");
}
