using System.Data;
using Vibe.Postgres.Sessions;
using Vibe.Server.Apps.Manifests;
using Vibe.Server.Auth.Accounts;
using Vibe.Server.Auth.OAuth;
using Vibe.Server.Auth.Revocations;
using Vibe.Server.Kernel;

namespace Vibe.Server.Apps;

/// <summary>An app, and what the caller may do with it.</summary>
internal sealed record SeenApp(AppRow Row, AppPower Power)
{
    /// <summary>Itself.</summary>
    /// <param name="needed">What the caller must be allowed.</param>
    /// <param name="name">How the caller calls it.</param>
    /// <exception cref="Grpc.Core.RpcException">APP_ROLE_REQUIRED; APP_NOT_FOUND for a stopped app, which others do not see.</exception>
    public SeenApp Require(AppPower needed, string name) => Power >= needed ? this
        : Row.IsDisabled && Power == AppPower.None ? throw AppErrors.NotFound(name)
        : throw AppErrors.RoleRequired(name, needed);
}

/// <summary>The apps of this server.</summary>
internal sealed class AppStore(Database database, Audit audit, RevocationSet revocations, Clients clients)
{
    private const string OneName = "apps_name_key";

    /// <summary>The app of a name or DID; null when there is none.</summary>
    public Task<SeenApp?> FindAsync(Caller caller, string name, CancellationToken cancellationToken) =>
        database.Owner.QueryFirstAsync(Find(caller, name, Sql.Empty), row => Read(row, caller), cancellationToken);

    /// <summary>A page of apps by name.</summary>
    /// <param name="caller">Who asks.</param>
    /// <param name="all">All apps, or those the caller looks after.</param>
    /// <param name="waiting">Only those whose manifest asks for privileges that they do not have.</param>
    /// <param name="limit">How many.</param>
    /// <param name="after">The last name of the page before; empty for the first page.</param>
    /// <param name="cancellationToken">Stops waiting.</param>
    public Task<IReadOnlyList<SeenApp>> ListAsync(Caller caller, bool all, bool waiting, int limit, string after, CancellationToken cancellationToken)
    {
        List<Sql> where = [$"a.delete_time is null", $"a.name > {after}"];
        if (!all)
        {
            where.Add($"(a.owner_did = {caller.Did} or a.did in (select x.app_did from vibe.app_admins x where x.did = {caller.Did}))");
        }

        if (waiting)
        {
            where.Add($"""
                exists (select from jsonb_array_elements_text(a.manifest -> 'privileges') p where p <> all (a.approved_privileges))
                """);
        }

        return database.Owner.QueryAsync(
            $"select {AppRow.Columns}, {IsAdmin(caller)} from vibe.apps a where {Sql.Join($" and ", where)} order by a.name limit {limit}",
            row => Read(row, caller), cancellationToken);
    }

    /// <summary>Registers an app.</summary>
    /// <param name="app">The app; its times and revision are set here.</param>
    /// <param name="told">For the audit log.</param>
    /// <param name="keep">False to see only whether it could be done.</param>
    /// <param name="cancellationToken">Stops waiting.</param>
    /// <exception cref="Grpc.Core.RpcException">APP_ALREADY_EXISTS; INVALID_ARGUMENT for a name that looks like another's; ACCOUNT_NOT_FOUND.</exception>
    public async Task<AppRow> CreateAsync(AppRow app, AuditEvent told, bool keep, CancellationToken cancellationToken)
    {
        await using var transaction = await database.Owner.BeginAsync(Access.Write, IsolationLevel.ReadCommitted, cancellationToken);
        var owner = app.Owner.Length == 0 ? null : app.Owner;
        var row = await Guard(transaction.QueryFirstAsync(
            $"""
            insert into vibe.apps as a (did, name, owner_did, manifest, skeleton)
            values ({app.Did}, {app.Name}, {owner}, {AppRow.JsonOf(app.Manifest)}, {DisplayNames.Skeleton(app.Manifest.DisplayName)})
            returning {AppRow.Columns}
            """,
            static row => AppRow.Read(row), cancellationToken), app);
        await transaction.ExecuteAsync(audit.ToStatement(told with { App = app.Did }), cancellationToken);
        if (keep)
        {
            await transaction.CommitAsync(cancellationToken);
        }

        return row!;
    }

    /// <summary>Changes an app under a lock on it.</summary>
    /// <param name="caller">Who changes it.</param>
    /// <param name="name">Its name or DID.</param>
    /// <param name="change">What is made of it; throws to refuse.</param>
    /// <param name="keep">False to see only whether it could be done.</param>
    /// <param name="cancellationToken">Stops waiting.</param>
    /// <exception cref="Grpc.Core.RpcException">APP_NOT_FOUND; INVALID_ARGUMENT for a name that looks like another's.</exception>
    public async Task<SeenApp> ChangeAsync(
        Caller caller, string name, Func<SeenApp, AppChange> change, bool keep, CancellationToken cancellationToken)
    {
        await using var transaction = await database.Owner.BeginAsync(Access.Write, IsolationLevel.ReadCommitted, cancellationToken);
        var before = await transaction.QueryFirstAsync(Find(caller, name, $"for update of a"), row => Read(row, caller), cancellationToken)
            ?? throw AppErrors.NotFound(name);
        var made = change(before);
        var app = made.App;
        var row = await Guard(transaction.QueryFirstAsync(
            $"""
            update vibe.apps a set manifest = {AppRow.JsonOf(app.Manifest)}, skeleton = {DisplayNames.Skeleton(app.Manifest.DisplayName)},
              owner_did = nullif({app.Owner}, ''), approved_privileges = {app.ApprovedPrivileges}, verified = {app.IsVerified},
              disable_time = case when {app.IsDisabled} then coalesce(a.disable_time, now()) end,
              delete_time = case when {app.IsDeleted} then now() end,
              revision = a.revision + 1, update_time = now()
            where a.did = {app.Did} returning {AppRow.Columns}
            """,
            static row => AppRow.Read(row), cancellationToken), app);
        foreach (var statement in made.More.Prepend(audit.ToStatement(made.Told with { App = app.Did })))
        {
            await transaction.ExecuteAsync(statement, cancellationToken);
        }

        var revoked = made.Revoked is null ? null
            : await transaction.QueryFirstAsync(made.Revoked, static row => Revocation.Read(row), cancellationToken);
        if (keep)
        {
            await transaction.CommitAsync(cancellationToken);
            revocations.Apply(revoked is null ? [] : [revoked]);
            clients.Forget(app.Did);
        }

        return before with { Row = row! };
    }

    /// <summary>Whether an account that is not deleted is an admin of an app.</summary>
    public async Task<bool> IsAdminAsync(string app, string account, CancellationToken cancellationToken) => await database.Owner.QueryFirstAsync(
        $"""
        select true from vibe.app_admins x join vibe.accounts c on c.did = x.did
        where x.app_did = {app} and x.did = {account} and c.delete_time is null
        """,
        static row => row.GetBoolean(0), cancellationToken);

    /// <summary>A page of an app's audit log, latest first.</summary>
    public Task<IReadOnlyList<StoredAppEvent>> ListEventsAsync(string app, int limit, Guid? before, CancellationToken cancellationToken) =>
        database.Owner.QueryAsync(
            $"""
            select e.id, e.create_time, e.type, coalesce(e.actor_did, ''), e.details from vibe.audit_events e
            where e.app_did = {app} and ({before}::uuid is null or e.id < {before}) order by e.id desc limit {limit}
            """,
            static row => new StoredAppEvent(row.GetGuid(0), row.GetTimestamp(1), row.GetString(2), row.GetString(3), row.GetJson(4)),
            cancellationToken);

    private static Sql Find(Caller caller, string name, Sql locking)
    {
        // No name has a colon.
        Sql which = name.Contains(':', StringComparison.Ordinal) ? (Sql)$"a.did = {name}" : $"a.name = {name}";
        return $"select {AppRow.Columns}, {IsAdmin(caller)} from vibe.apps a where {which} and a.delete_time is null {locking}";
    }

    private static Sql IsAdmin(Caller caller) =>
        $"exists (select from vibe.app_admins x where x.app_did = a.did and x.did = {caller.Did})";

    private static SeenApp Read(Row row, Caller caller)
    {
        var app = AppRow.Read(row);
        var power = app.PowerOf(caller);
        return new SeenApp(app, power == AppPower.None && caller.Scopes.IsAccount && row.GetBoolean(row.ColumnCount - 1) ? AppPower.Admin : power);
    }

    private static async Task<T> Guard<T>(Task<T> statement, AppRow app)
    {
        try
        {
            return await statement;
        }
        catch (DatabaseException exception) when (exception.Kind == DatabaseErrorKind.UniqueViolation)
        {
            throw exception.Constraint == OneName ? AppErrors.AlreadyExists(app.Name) : AppErrors.LooksLikeAnother();
        }
        catch (DatabaseException exception) when (exception.Kind == DatabaseErrorKind.ForeignKeyViolation)
        {
            throw AppErrors.AccountNotFound(app.Owner);
        }
    }
}

/// <summary>What is made of an app.</summary>
/// <param name="App">The app as it shall be.</param>
/// <param name="Told">For the audit log.</param>
internal sealed record AppChange(AppRow App, AuditEvent Told)
{
    /// <summary>Statements that belong to it.</summary>
    public IReadOnlyList<Sql> More { get; init; } = [];

    /// <summary>Writes down the access that ends or changes with it.</summary>
    public Sql? Revoked { get; init; }
}

/// <summary>An entry of the audit log as it is stored.</summary>
internal sealed record StoredAppEvent(Guid Id, DateTimeOffset CreateTime, string Type, string Actor, ReadOnlyMemory<byte> Details);
