using Vibe.Postgres.Migrations;
using Vibe.Postgres.Sessions;

namespace Vibe.Postgres.Tests.Migrations;

[Collection(PostgresCollection.Name)]
public sealed class MigratorTests(EmbeddedClusterFixture cluster) : IAsyncLifetime
{
    private static readonly Migration First = Make(100, "first", "create table vibe.first (id int); create function vibe.f() returns int language sql as $$ select 1; $$;");
    private static readonly Migration Second = Make(200, "second", "create table vibe.second (id int)");
    private Database Database { get; set; } = null!;

    private static CancellationToken Timeout => new CancellationTokenSource(TimeSpan.FromSeconds(60)).Token;

    public async Task InitializeAsync() => Database = new(await cluster.CreateEmptyDatabaseAsync(), TimeProvider.System);

    public async Task DisposeAsync() => await Database.DisposeAsync();

    [Fact]
    public async Task Missing_migrations_run_in_order_and_only_once()
    {
        Assert.Equal([First], await MigrateAsync(First));
        Assert.Equal([Second], await MigrateAsync(First, Second));
        Assert.Empty(await MigrateAsync(First, Second));
        Assert.Equal("vibe_owner", await OwnerOfAsync("first"));
    }

    [Fact]
    public async Task A_migration_of_another_feature_may_come_late_with_a_lower_number()
    {
        await MigrateAsync(Second);

        Assert.Equal([First], await MigrateAsync(First, Second));
    }

    [Fact]
    public async Task A_changed_migration_is_refused()
    {
        await MigrateAsync(First);
        var error = await Assert.ThrowsAsync<MigrationException>(() => MigrateAsync(Make(100, "first", "select 1")));

        Assert.Contains("0100_first.sql was changed", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_database_newer_than_the_binary_is_refused()
    {
        await MigrateAsync(First, Second);
        var error = await Assert.ThrowsAsync<MigrationException>(() => MigrateAsync(First));

        Assert.Contains("newer Vibe (0200_second.sql", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_failing_migration_leaves_nothing_and_is_named()
    {
        var broken = Make(200, "broken", "create table vibe.half (id int); select nothing_like_this();");
        var error = await Assert.ThrowsAsync<MigrationException>(() => MigrateAsync(First, broken));

        Assert.Contains("0200_broken.sql failed", error.Message, StringComparison.Ordinal);
        Assert.Contains("nothing_like_this", error.Message, StringComparison.Ordinal);
        Assert.Null(await OwnerOfAsync("half"));
        Assert.Equal([Second], await MigrateAsync(First, Second));
    }

    [Fact]
    public async Task Many_processes_starting_at_once_run_each_migration_once()
    {
        var starts = Enumerable.Range(0, 40).Select(async _ =>
        {
            await using var database = new Database(Database.Options, TimeProvider.System);
            return await new Migrator(database, [First, Second], TimeProvider.System).MigrateAsync(null, Timeout);
        });
        var ran = await Task.WhenAll(starts);

        Assert.Equal([First, Second], ran.SelectMany(static one => one).OrderBy(static one => one.Number));
    }

    [Fact]
    public async Task Databases_of_one_server_can_be_prepared_at_the_same_time()
    {
        var options = await Task.WhenAll(Enumerable.Range(0, 6).Select(_ => cluster.CreateEmptyDatabaseAsync()));
        await Task.WhenAll(options.Select(async one =>
        {
            await using var database = new Database(one, TimeProvider.System);
            await new Migrator(database, Migration.Load(), TimeProvider.System).MigrateAsync(null, Timeout);
        }));
    }

    [Fact]
    public async Task State_tells_pending_without_changing_anything()
    {
        var migrator = new Migrator(Database, [First], TimeProvider.System);

        Assert.Equal([First], (await migrator.GetStateAsync(Timeout)).Pending);
        await migrator.MigrateAsync(null, Timeout);
        Assert.True((await migrator.GetStateAsync(Timeout)).IsCurrent);
    }

    [Fact]
    public async Task A_superuser_app_role_is_refused()
    {
        await MigrateAsync(First);
        await Database.Admin.ExecuteAsync($"alter role vibe_view bypassrls", Timeout);
        try
        {
            var error = await Assert.ThrowsAsync<MigrationException>(() => MigrateAsync(First));
            Assert.Contains("vibe_view", error.Message, StringComparison.Ordinal);
        }
        finally
        {
            await Database.Admin.ExecuteAsync($"alter role vibe_view nobypassrls", Timeout);
        }
    }

    [Fact]
    public async Task An_admin_without_superuser_rights_can_prepare_a_database()
    {
        // As on a managed server: a login that owns its database and may create roles. Its own server, because roles are shared by all databases of one.
        await using var managed = await ManagedServer.StartAsync();
        await using var database = new Database(managed.Options, TimeProvider.System);
        await new Migrator(database, [.. Migration.Load(), First], TimeProvider.System).MigrateAsync(null, Timeout);

        var batch = database.Owner.CreateBatch(Access.Write);
        batch.Execute($"create view vibe.seen with (security_barrier) as select id from vibe.first");
        batch.Execute($"alter view vibe.seen owner to vibe_view");
        await batch.RunAsync(Timeout);
        var roles = await database.QueryFirstAsync(
            RequestContext.Anonymous, $"select session_user::text, current_user::text", static row => (row.GetString(0), row.GetString(1)), Timeout);
        Assert.Equal(("managed_admin", "vibe_app"), roles);
    }

    [Fact]
    public async Task A_login_without_the_rights_is_told_which()
    {
        await using var managed = await ManagedServer.StartAsync("nocreaterole");
        await using var database = new Database(managed.Options, TimeProvider.System);
        var error = await Assert.ThrowsAsync<MigrationException>(
            () => new Migrator(database, Migration.Load(), TimeProvider.System).MigrateAsync(null, Timeout));

        Assert.Contains("CREATEROLE", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Embedded_migrations_are_found_with_number_name_and_checksum()
    {
        var own = Migration.Load()[0];

        Assert.Equal((1, "request_context", "0001_request_context.sql"), (own.Number, own.Name, own.FileName));
        Assert.Equal(64, own.Checksum.Length);
    }

    private static Migration Make(int number, string name, string script) =>
        new(number, name, script, Convert.ToHexStringLower(System.Security.Cryptography.SHA256.HashData(System.Text.Encoding.UTF8.GetBytes(script))));

    private Task<IReadOnlyList<Migration>> MigrateAsync(params Migration[] migrations) =>
        new Migrator(Database, migrations, TimeProvider.System).MigrateAsync(null, Timeout);

    private Task<string?> OwnerOfAsync(string table) => Database.Admin.QueryFirstAsync(
        $"select tableowner::text from pg_tables where schemaname = 'vibe' and tablename = {table}", static row => row.GetString(0), Timeout);
}
