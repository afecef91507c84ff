using System.Text;
using Google.Protobuf.WellKnownTypes;
using Grpc.Core;
using Vibe.Apps.V1;
using Vibe.Rpc.Json;
using Vibe.Server.Kernel;
using Vibe.Server.Pipeline;

namespace Vibe.Server.Apps;

/// <summary>The apps API: maps requests in, asks the stores, maps answers out. What it does is said in the contract.</summary>
internal sealed class AppsService(AppStore apps, AppMemberStore members, AppChanges changes, AppCredentials credentials, PageTokens tokens)
    : Vibe.Apps.V1.AppsService.AppsServiceBase
{
    private const int MaxPage = 200;

    /// <inheritdoc/>
    public override async Task<CreateAppResponse> CreateApp(CreateAppRequest request, ServerCallContext context)
    {
        var row = await changes.CreateAsync(context.GetCaller(), request.App, keep: !request.ValidateOnly, context.CancellationToken);
        return new() { App = row.ToProto(AppPower.Owner) };
    }

    /// <inheritdoc/>
    public override async Task<GetAppResponse> GetApp(GetAppRequest request, ServerCallContext context)
    {
        var seen = await apps.FindAsync(context.GetCaller(), request.Name, context.CancellationToken);
        return seen is null || (seen.Row.IsDisabled && seen.Power == AppPower.None)
            ? throw AppErrors.NotFound(request.Name)
            : new() { App = seen.Row.ToProto(seen.Power) };
    }

    /// <inheritdoc/>
    public override async Task<ListAppsResponse> ListApps(ListAppsRequest request, ServerCallContext context)
    {
        var caller = context.GetCaller();
        if (request.All && !caller.Scopes.IsAdmin)
        {
            throw VibeError.InvalidField("all", "is for operators", "app.all");
        }

        var size = PageSize.Of(request.PageSize, MaxPage);
        var page = new PageQuery(caller, "ListApps", request.All.ToString(), request.Waiting.ToString());
        var after = request.PageToken.Length == 0 ? "" : Encoding.UTF8.GetString(tokens.Open(page, request.PageToken));
        var list = await apps.ListAsync(caller, request.All, request.Waiting, size + 1, after, context.CancellationToken);
        return new()
        {
            Apps = { list.Take(size).Select(static seen => seen.Row.ToProto(seen.Power)) },
            NextPageToken = list.Count > size ? tokens.Issue(page, Encoding.UTF8.GetBytes(list[size - 1].Row.Name)) : "",
        };
    }

    /// <inheritdoc/>
    public override async Task<UpdateAppResponse> UpdateApp(UpdateAppRequest request, ServerCallContext context)
    {
        var seen = await changes.UpdateAsync(context.GetCaller(), request, context.CancellationToken);
        return new() { App = seen.Row.ToProto(seen.Power) };
    }

    /// <inheritdoc/>
    public override async Task<DeleteAppResponse> DeleteApp(DeleteAppRequest request, ServerCallContext context)
    {
        await changes.DeleteAsync(context.GetCaller(), request.Name, request.Etag, context.CancellationToken);
        return new();
    }

    /// <inheritdoc/>
    public override async Task<TransferAppResponse> TransferApp(TransferAppRequest request, ServerCallContext context)
    {
        var seen = await changes.TransferAsync(context.GetCaller(), request.Name, request.Account, context.CancellationToken);
        return new() { App = seen.Row.ToProto(AppPower.Admin) };
    }

    /// <inheritdoc/>
    public override async Task<ListAppAdminsResponse> ListAppAdmins(ListAppAdminsRequest request, ServerCallContext context)
    {
        var seen = await FindAsync(request.Name, AppPower.Admin, context);
        var list = await members.ListAsync(seen.Row.Did, context.CancellationToken);
        return new()
        {
            Admins =
            {
                list.Select(static member => new AppAdmin
                {
                    Account = member.Did, Handle = member.Handle, Role = member.IsOwner ? AppRole.Owner : AppRole.Admin,
                }),
            },
        };
    }

    /// <inheritdoc/>
    public override async Task<AddAppAdminResponse> AddAppAdmin(AddAppAdminRequest request, ServerCallContext context)
    {
        var seen = await FindAsync(request.Name, AppPower.Owner, context);
        return await members.AddAsync(seen.Row.Did, request.Account, AppEvent.Of(context.GetCaller(), "app.admin.add"), context.CancellationToken)
            ? new()
            : throw AppErrors.AccountNotFound(request.Account);
    }

    /// <inheritdoc/>
    public override async Task<RemoveAppAdminResponse> RemoveAppAdmin(RemoveAppAdminRequest request, ServerCallContext context)
    {
        var caller = context.GetCaller();
        var seen = await FindAsync(request.Name, request.Account == caller.Did ? AppPower.Admin : AppPower.Owner, context);
        return await members.RemoveAsync(seen.Row.Did, request.Account, AppEvent.Of(caller, "app.admin.remove"), context.CancellationToken)
            ? new()
            : throw AppErrors.AccountNotFound(request.Account);
    }

    /// <inheritdoc/>
    public override async Task<CreateAppCredentialResponse> CreateAppCredential(CreateAppCredentialRequest request, ServerCallContext context)
    {
        var seen = await FindAsync(request.Name, AppPower.Admin, context);
        var (row, secret) = await credentials.AddAsync(
            context.GetCaller(), seen.Row, request.Credential ?? new AppCredential(), context.CancellationToken);
        return new() { Credential = row.ToProto(), Secret = secret };
    }

    /// <inheritdoc/>
    public override async Task<ListAppCredentialsResponse> ListAppCredentials(ListAppCredentialsRequest request, ServerCallContext context)
    {
        var seen = await FindAsync(request.Name, AppPower.Admin, context);
        var list = await credentials.Store.ListAsync(seen.Row.Did, context.CancellationToken);
        return new() { Credentials = { list.Select(static row => row.ToProto()) } };
    }

    /// <inheritdoc/>
    public override async Task<RevokeAppCredentialResponse> RevokeAppCredential(RevokeAppCredentialRequest request, ServerCallContext context)
    {
        var seen = await FindAsync(request.Name, AppPower.Admin, context);
        var told = AppEvent.Of(context.GetCaller(), "app.credential.revoke", ("id", request.Id));
        return Guid.TryParseExact(request.Id, "D", out var id) && await credentials.Store.RevokeAsync(seen.Row.Did, id, told, context.CancellationToken)
            ? new()
            : throw AppErrors.CredentialNotFound(request.Name, request.Id);
    }

    /// <inheritdoc/>
    public override async Task<ApproveAppPrivilegesResponse> ApproveAppPrivileges(ApproveAppPrivilegesRequest request, ServerCallContext context)
    {
        var seen = await changes.ApproveAsync(context.GetCaller(), request.Name, request.Privileges, context.CancellationToken);
        return new() { App = seen.Row.ToProto(seen.Power) };
    }

    /// <inheritdoc/>
    public override async Task<VerifyAppResponse> VerifyApp(VerifyAppRequest request, ServerCallContext context)
    {
        var seen = await changes.VerifyAsync(context.GetCaller(), request.Name, isVerified: !request.Withdraw, context.CancellationToken);
        return new() { App = seen.Row.ToProto(seen.Power) };
    }

    /// <inheritdoc/>
    public override async Task<DisableAppResponse> DisableApp(DisableAppRequest request, ServerCallContext context)
    {
        var seen = await changes.DisableAsync(context.GetCaller(), request.Name, request.Reason, context.CancellationToken);
        return new() { App = seen.Row.ToProto(seen.Power) };
    }

    /// <inheritdoc/>
    public override async Task<EnableAppResponse> EnableApp(EnableAppRequest request, ServerCallContext context)
    {
        var seen = await changes.EnableAsync(context.GetCaller(), request.Name, context.CancellationToken);
        return new() { App = seen.Row.ToProto(seen.Power) };
    }

    /// <inheritdoc/>
    public override async Task<ListAppAuditEventsResponse> ListAppAuditEvents(ListAppAuditEventsRequest request, ServerCallContext context)
    {
        var seen = await FindAsync(request.Name, AppPower.Admin, context);
        var size = PageSize.Of(request.PageSize, MaxPage);
        var page = new PageQuery(context.GetCaller(), "ListAppAuditEvents", seen.Row.Did);
        Guid? before = request.PageToken.Length == 0 ? null : new Guid(tokens.Open(page, request.PageToken));
        var list = await apps.ListEventsAsync(seen.Row.Did, size + 1, before, context.CancellationToken);
        return new()
        {
            Events =
            {
                list.Take(size).Select(static stored => new Vibe.Apps.V1.AppEvent
                {
                    Id = stored.Id.ToString(), CreateTime = Timestamp.FromDateTimeOffset(stored.CreateTime), Type = stored.Type,
                    Actor = stored.Actor, Details = StructJson.ToStruct(stored.Details.Span),
                }),
            },
            NextPageToken = list.Count > size ? tokens.Issue(page, list[size - 1].Id.ToByteArray()) : "",
        };
    }

    private async Task<SeenApp> FindAsync(string name, AppPower needed, ServerCallContext context)
    {
        var seen = await apps.FindAsync(context.GetCaller(), name, context.CancellationToken) ?? throw AppErrors.NotFound(name);
        return seen.Require(needed, name);
    }
}
