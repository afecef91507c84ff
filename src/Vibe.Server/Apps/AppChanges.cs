using Google.Rpc;
using Vibe.Apps.V1;
using Vibe.Postgres.Sessions;
using Vibe.Server.Apps.Credentials;
using Vibe.Server.Apps.Manifests;
using Vibe.Server.Auth;
using Vibe.Server.Auth.Revocations;
using Vibe.Server.Documents;
using Vibe.Server.Kernel;

namespace Vibe.Server.Apps;

/// <summary>Registers and changes apps: who may, what follows from it, and what is written down.</summary>
internal sealed class AppChanges(
    AppStore apps, ManifestRules rules, FieldIndexSuggestions suggestions, AuthOptions auth, TimeProvider time)
{
    /// <summary>Registers an app.</summary>
    /// <exception cref="Grpc.Core.RpcException">See the contract.</exception>
    public async Task<AppRow> CreateAsync(Caller caller, App asked, bool keep, CancellationToken cancellationToken)
    {
        var manifest = Normal(asked.Manifest);
        Refuse([.. ManifestRules.CheckName(asked.Name, "app.name"), .. rules.Check(manifest, "app.manifest.")]);
        var app = new AppRow
        {
            Did = auth.DidOf("apps", Guid.CreateVersion7(time.GetUtcNow())), Name = asked.Name, Manifest = manifest, Owner = caller.Did ?? "",
        };
        var row = await apps.CreateAsync(app, AppEvent.Of(caller, "app.create"), keep, cancellationToken);
        if (!keep)
        {
            return row with { Did = "" };
        }

        await SuggestAsync(row, new AppManifest(), cancellationToken);
        return row;
    }

    /// <summary>Changes the manifest.</summary>
    /// <exception cref="Grpc.Core.RpcException">See the contract.</exception>
    public async Task<SeenApp> UpdateAsync(Caller caller, UpdateAppRequest request, CancellationToken cancellationToken)
    {
        var before = new AppManifest();
        var seen = await apps.ChangeAsync(caller, request.Name, seen =>
        {
            var app = seen.Require(AppPower.Admin, request.Name).Row;
            CheckEtag(app, request.Etag);
            before = app.Manifest;
            var manifest = Normal(ManifestMask.Apply(app.Manifest, request.App.Manifest ?? new AppManifest(), request.UpdateMask));
            Refuse([.. rules.Check(manifest, "app.manifest.")]);
            var changed = app with
            {
                Manifest = manifest,
                ApprovedPrivileges = [.. app.ApprovedPrivileges.Intersect(manifest.Privileges)],
                // Who was checked is not who speaks now.
                IsVerified = app.IsVerified && IsSameSpeaker(app.Manifest, manifest),
            };
            return new AppChange(changed, AppEvent.Of(caller, "app.update", ("fields", string.Join(' ', Differences(app.Manifest, manifest)))))
            {
                Revoked = changed.ApprovedPrivileges.Count < app.ApprovedPrivileges.Count ? Revocation.OfPrincipals(app.Did).ToStatement(auth) : null,
            };
        }, keep: !request.ValidateOnly, cancellationToken);
        if (!request.ValidateOnly)
        {
            await SuggestAsync(seen.Row, before, cancellationToken);
        }

        return seen;
    }

    /// <summary>Deletes an app, and ends all that hangs on it.</summary>
    /// <exception cref="Grpc.Core.RpcException">See the contract.</exception>
    public Task DeleteAsync(Caller caller, string name, string etag, CancellationToken cancellationToken) => apps.ChangeAsync(caller, name, seen =>
    {
        var app = seen.Require(AppPower.Owner, name).Row;
        CheckEtag(app, etag);
        return new AppChange(app with { IsDeleted = true, ApprovedPrivileges = [], IsVerified = false }, AppEvent.Of(caller, "app.delete"))
        {
            More = [EndFamilies(app.Did, "app deleted"), CredentialStore.RevokeAll(app.Did), $"delete from vibe.grants where app_did = {app.Did}"],
            Revoked = Revocation.OfApp(app.Did).ToStatement(auth),
        };
    }, keep: true, cancellationToken);

    /// <summary>Gives an app to one of its admins.</summary>
    /// <exception cref="Grpc.Core.RpcException">See the contract.</exception>
    public async Task<SeenApp> TransferAsync(Caller caller, string name, string account, CancellationToken cancellationToken)
    {
        var known = await apps.FindAsync(caller, name, cancellationToken) ?? throw AppErrors.NotFound(name);
        known.Require(AppPower.Owner, name);
        if (!await apps.IsAdminAsync(known.Row.Did, account, cancellationToken))
        {
            throw AppErrors.AccountNotFound(account);
        }

        return await apps.ChangeAsync(caller, name, seen =>
        {
            var app = seen.Require(AppPower.Owner, name).Row;
            return new AppChange(app with { Owner = account }, AppEvent.Of(caller, "app.transfer", ("from", app.Owner), ("to", account)))
            {
                More = AppMemberStore.Swap(app.Did, app.Owner, account),
            };
        }, keep: true, cancellationToken);
    }

    /// <summary>Sets which privileges an app has.</summary>
    /// <exception cref="Grpc.Core.RpcException">See the contract.</exception>
    public Task<SeenApp> ApproveAsync(Caller caller, string name, IReadOnlyCollection<string> privileges, CancellationToken cancellationToken) =>
        apps.ChangeAsync(caller, name, seen =>
        {
            var app = seen.Row;
            if (privileges.Except(app.Manifest.Privileges, StringComparer.Ordinal).FirstOrDefault() is { } unasked)
            {
                throw VibeError.InvalidField("privileges", $"has {unasked}, which the manifest does not ask for", "app.privilege");
            }

            return new AppChange(
                app with { ApprovedPrivileges = [.. privileges.Distinct(StringComparer.Ordinal)] },
                AppEvent.Of(caller, "app.approve", ("privileges", string.Join(' ', privileges)), ("before", string.Join(' ', app.ApprovedPrivileges))))
            {
                Revoked = Revocation.OfPrincipals(app.Did).ToStatement(auth),
            };
        }, keep: true, cancellationToken);

    /// <summary>Says whether an operator has checked who is behind an app.</summary>
    /// <exception cref="Grpc.Core.RpcException">APP_NOT_FOUND.</exception>
    public Task<SeenApp> VerifyAsync(Caller caller, string name, bool isVerified, CancellationToken cancellationToken) => apps.ChangeAsync(
        caller, name, seen => new AppChange(seen.Row with { IsVerified = isVerified }, AppEvent.Of(caller, isVerified ? "app.verify" : "app.unverify")),
        keep: true, cancellationToken);

    /// <summary>Stops an app.</summary>
    /// <exception cref="Grpc.Core.RpcException">APP_NOT_FOUND.</exception>
    public Task<SeenApp> DisableAsync(Caller caller, string name, string reason, CancellationToken cancellationToken) => apps.ChangeAsync(
        caller, name, seen => new AppChange(seen.Row with { IsDisabled = true }, AppEvent.Of(caller, "app.disable", ("reason", reason)))
        {
            More = [EndFamilies(seen.Row.Did, "app disabled")],
            Revoked = Revocation.OfApp(seen.Row.Did).ToStatement(auth),
        },
        keep: true, cancellationToken);

    /// <summary>Lets a stopped app work again.</summary>
    /// <exception cref="Grpc.Core.RpcException">APP_NOT_FOUND.</exception>
    public Task<SeenApp> EnableAsync(Caller caller, string name, CancellationToken cancellationToken) => apps.ChangeAsync(
        caller, name, seen => new AppChange(seen.Row with { IsDisabled = false }, AppEvent.Of(caller, "app.enable")), keep: true, cancellationToken);

    private static Sql EndFamilies(string app, string reason) =>
        $"update vibe.token_families set revoke_time = now(), revoke_reason = {reason} where app_did = {app} and revoke_time is null";

    private async Task SuggestAsync(AppRow app, AppManifest before, CancellationToken cancellationToken)
    {
        var known = before.Collections.SelectMany(static declared => declared.IndexedFields, static (declared, path) => (declared.Collection, path));
        var asked = app.Manifest.Collections.SelectMany(static declared => declared.IndexedFields, static (declared, path) => (declared.Collection, path));
        foreach (var (collection, path) in asked.Except(known))
        {
            await suggestions.SuggestAsync(app.Did, collection, path, cancellationToken);
        }
    }

    // What is not said is said, so that nobody has to guess later.
    private static AppManifest Normal(AppManifest? manifest)
    {
        var normal = manifest?.Clone() ?? new AppManifest();
        normal.ClientType = normal.ClientType == ClientType.Unspecified ? ClientType.Web : normal.ClientType;
        return normal;
    }

    private static bool IsSameSpeaker(AppManifest before, AppManifest after) =>
        before.DisplayName == after.DisplayName && before.HomepageUri == after.HomepageUri
        && before.Origins.ToHashSet(StringComparer.Ordinal).SetEquals(after.Origins);

    private static IEnumerable<string> Differences(AppManifest before, AppManifest after) => AppManifest.Descriptor.Fields.InFieldNumberOrder()
        .Where(field => !Equals(field.Accessor.GetValue(before), field.Accessor.GetValue(after))).Select(static field => field.JsonName);

    private static void CheckEtag(AppRow app, string etag)
    {
        if (etag.Length > 0 && etag != app.Etag)
        {
            throw AppErrors.EtagMismatch(app.Did, etag, app.Etag);
        }
    }

    private static void Refuse(IReadOnlyCollection<BadRequest.Types.FieldViolation> violations)
    {
        if (violations.Count > 0)
        {
            throw VibeError.InvalidFields(violations);
        }
    }
}
