using Npgsql;
using Vibe.Postgres.Sessions;

namespace Vibe.Postgres.Migrations;

/// <summary>
/// Creates the roles, the schema and the record of migrations. Runs as the migrating login, which need not be a superuser: on a managed server it
/// needs CREATEROLE and CREATE on the database. Repeating it changes nothing.
/// </summary>
internal static class Bootstrap
{
    private const int Attempts = 10;

    // Roles belong to the whole cluster, so bootstraps of two databases can meet here although the advisory lock is per database:
    // "already exists" is success, and a clash on a catalogue row is tried again.
    // vibe_app may log in but has no password: that opens nothing unless the server's own rules (peer, trust) let it in.
    private const string Script = """
        do $$
        declare
          r text;
          m text;
        begin
          foreach r in array array['vibe_owner', 'vibe_view', 'vibe_app'] loop
            if not exists (select from pg_roles where rolname = r) then
              begin
                execute format('create role %I %s', r, case when r = 'vibe_app' then 'login' else 'nologin' end);
              exception when duplicate_object or unique_violation then
                null;
              end;
            end if;
          end loop;
          -- The owner hands views to vibe_view, so it must be a member of it; the migrating login becomes any of the three.
          if not pg_has_role('vibe_owner', 'vibe_view', 'member') then
            grant vibe_view to vibe_owner;
          end if;
          if not (select rolsuper from pg_roles where rolname = current_user) then
            foreach r in array array['vibe_owner', 'vibe_view', 'vibe_app'] loop
              if r <> current_user then
                -- From PostgreSQL 16 on, who creates a role may grant it but is not yet allowed to SET ROLE to it.
                m := case when current_setting('server_version_num')::int >= 160000 then 'SET' else 'MEMBER' end;
                if not pg_has_role(current_user, r, m) then
                  execute format('grant %I to %I', r, current_user);
                end if;
              end if;
            end loop;
          end if;
          if not has_database_privilege('vibe_owner', current_database(), 'create') then
            execute format('grant create on database %I to vibe_owner', current_database());
          end if;
          if not exists (select from pg_namespace where nspname = 'vibe') then
            create schema vibe authorization vibe_owner;
          end if;
        end $$;
        set local role vibe_owner;
        grant usage on schema vibe to vibe_app;
        grant usage, create on schema vibe to vibe_view;
        create table if not exists vibe.schema_migrations (
          number integer primary key,
          name text not null,
          checksum text not null,
          applied_at timestamptz not null default now(),
          duration interval not null);
        reset role;
        """;

    private const string UnsafeRoles = """
        select string_agg(rolname, ', ' order by rolname) from pg_roles
        where rolname in ('vibe_owner', 'vibe_view', 'vibe_app') and (rolsuper or rolbypassrls)
        """;

    public static async Task RunAsync(NpgsqlConnection connection, CancellationToken cancellationToken)
    {
        for (var attempt = 1; ; attempt++)
        {
            try
            {
                await using var transaction = await connection.BeginTransactionAsync(cancellationToken);
                await MigrationLock.AcquireAsync(connection, cancellationToken);
                await using (var script = new NpgsqlCommand(Script, connection))
                {
                    await script.ExecuteNonQueryAsync(cancellationToken);
                }
                await transaction.CommitAsync(cancellationToken);
                break;
            }
            catch (PostgresException error) when (attempt < Attempts && IsClash(error))
            {
                // Another database's bootstrap changed the same role; it is done now.
            }
            catch (PostgresException error) when (error.SqlState == PostgresErrorCodes.InsufficientPrivilege)
            {
                throw new MigrationException(
                    $"The login of the connection string may not prepare the database ({error.MessageText}): give it CREATEROLE and CREATE on the database, or connect as an admin once.",
                    error);
            }
        }
        await RefuseUnsafeRolesAsync(connection, cancellationToken);
    }

    private static async Task RefuseUnsafeRolesAsync(NpgsqlConnection connection, CancellationToken cancellationToken)
    {
        await using var command = new NpgsqlCommand(UnsafeRoles, connection);
        if (await command.ExecuteScalarAsync(cancellationToken) is string roles)
        {
            throw new MigrationException(
                $"Role {roles} is a superuser or bypasses row-level security, which would show every document to everyone: run ALTER ROLE … NOSUPERUSER NOBYPASSRLS.");
        }
    }

    private static bool IsClash(PostgresException error) => error.SqlState
        is PostgresErrorCodes.InternalError // "tuple concurrently updated"
        or PostgresErrorCodes.UniqueViolation
        or PostgresErrorCodes.DuplicateSchema
        or PostgresErrorCodes.DuplicateTable
        or PostgresErrorCodes.DeadlockDetected
        or PostgresErrorCodes.SerializationFailure;
}

/// <summary>One migrating process per database at a time. Held by a transaction rather than a session, so that it also works through a pooler.</summary>
internal static class MigrationLock
{
    private static readonly long Key = ServiceSessions.Key("vibe/migrations");

    public static async Task AcquireAsync(NpgsqlConnection connection, CancellationToken cancellationToken)
    {
        await using var command = new NpgsqlCommand("select pg_advisory_xact_lock($1)", connection) { Parameters = { new() { Value = Key } } };
        await command.ExecuteNonQueryAsync(cancellationToken);
    }
}
