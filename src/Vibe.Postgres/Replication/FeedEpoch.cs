using Vibe.Postgres.Sessions;

namespace Vibe.Postgres.Replication;

/// <summary>
/// What transaction numbers mean something in: one cluster, one timeline of it, one database. A restored copy or a promoted
/// standby counts on from other numbers, so that what was said in numbers before has expired.
/// </summary>
/// <param name="Text">The three in one.</param>
public sealed record FeedEpoch(string Text)
{
    /// <summary>An expression of type <c>text</c>: <see cref="Text"/> of the database that runs it.</summary>
    public static Sql Expression { get; } = $"""
        ((select system_identifier::text from pg_control_system()) || '.' || (select timeline_id::text from pg_control_checkpoint())
          || '.' || (select oid::text from pg_database where datname = current_database()))
        """;
}
