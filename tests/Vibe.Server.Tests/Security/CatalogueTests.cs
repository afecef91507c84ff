using Vibe.Postgres.Tests;
using Vibe.Server.Tests.Documents;

namespace Vibe.Server.Tests.Security;

/// <summary>What the catalogue says of every table, view and function, so that a new one cannot be forgotten.</summary>
[Collection(PostgresCollection.Name)]
public sealed class CatalogueTests(DocumentsHost host) : IClassFixture<DocumentsHost>
{
    [Fact]
    public async Task Every_table_the_app_role_touches_has_forced_row_level_security_and_policies() => Assert.Empty(await Names($"""
        select c.relname::text from pg_class c join pg_namespace n on n.oid = c.relnamespace
        where n.nspname = 'vibe' and c.relkind in ('r', 'p', 'm', 'f')
          and (has_table_privilege('vibe_app', c.oid, 'select, insert, update, delete, truncate, references, trigger')
            or has_any_column_privilege('vibe_app', c.oid, 'select, insert, update, references'))
          and not (c.relrowsecurity and c.relforcerowsecurity and exists (select from pg_policy p where p.polrelid = c.oid))
        """));

    [Fact]
    public async Task Side_tables_cannot_be_touched_at_all() => Assert.Empty(await Names($"""
        select c.relname::text from pg_class c join pg_namespace n on n.oid = c.relnamespace
        where n.nspname = 'vibe' and c.relname in ('doc_search', 'doc_edges', 'schema_migrations')
          and (has_any_column_privilege('vibe_app', c.oid, 'select, insert, update, references') or has_table_privilege('vibe_app', c.oid, 'delete, truncate'))
        """));

    [Fact]
    public async Task No_role_of_ours_can_step_around_row_level_security() => Assert.Empty(await Names($"""
        select r.rolname::text from pg_roles r
        where r.rolname in ('vibe_app', 'vibe_view', 'vibe_owner') and (r.rolsuper or r.rolbypassrls or r.rolcreaterole or r.rolreplication)
           or r.rolname <> 'vibe_app' and pg_has_role('vibe_app', r.oid, 'member')
        """));

    [Fact]
    public async Task The_app_role_owns_nothing_and_creates_nothing() => Assert.Empty(await Names($"""
        select c.relname::text from pg_class c where c.relowner = 'vibe_app'::regrole
        union all select p.proname::text from pg_proc p where p.proowner = 'vibe_app'::regrole
        union all select n.nspname::text from pg_namespace n
          where n.nspname in ('vibe', 'public') and has_schema_privilege('vibe_app', n.oid, 'create')
        union all select 'delete on documents' where has_table_privilege('vibe_app', 'vibe.documents', 'delete, truncate, trigger')
        """));

    [Fact]
    public async Task Views_belong_to_a_role_under_row_level_security_and_are_barriers_where_a_table_below_shows_it_everything() => Assert.Empty(await Names($"""
        select c.relname::text from pg_class c join pg_namespace n on n.oid = c.relnamespace
        where n.nspname = 'vibe' and c.relkind = 'v'
          and not (c.relowner = 'vibe_view'::regrole
            and ('security_barrier=true' = any (coalesce(c.reloptions, array[]::text[])) or not exists (
              select from pg_rewrite r
              join pg_depend d on d.classid = 'pg_rewrite'::regclass and d.objid = r.oid and d.refclassid = 'pg_class'::regclass
              join pg_class t on t.oid = d.refobjid and t.relkind = 'r'
              where r.ev_class = c.oid and (not t.relforcerowsecurity or exists (
                select from pg_policies p where p.schemaname = 'vibe' and p.tablename = t.relname and 'vibe_view' = any (p.roles) and p.qual = 'true')))))
        """));

    [Fact]
    public async Task Definer_functions_the_app_role_may_call_belong_to_a_role_under_row_level_security() => Assert.Empty(await Names($"""
        select p.proname::text from pg_proc p join pg_namespace n on n.oid = p.pronamespace
        where n.nspname = 'vibe' and p.prosecdef and p.prorettype <> 'trigger'::regtype
          and has_function_privilege('vibe_app', p.oid, 'execute') and p.proowner <> 'vibe_view'::regrole
        """));

    [Fact]
    public async Task Definer_and_trigger_functions_fix_their_search_path() => Assert.Empty(await Names($"""
        select p.proname::text from pg_proc p join pg_namespace n on n.oid = p.pronamespace
        where n.nspname = 'vibe' and (p.prosecdef or p.prorettype = 'trigger'::regtype)
          and not exists (select from unnest(p.proconfig) setting where setting like 'search_path=%')
        """));

    private Task<IReadOnlyList<string>> Names(Vibe.Postgres.Sessions.Sql sql) =>
        host.Database.Owner.QueryAsync(sql, static row => row.GetString(0), CancellationToken.None);
}
