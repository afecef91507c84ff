namespace Vibe.Postgres.Migrations;

/// <summary>The schema cannot be brought to what this binary needs. The message is one plain sentence for an operator.</summary>
public sealed class MigrationException : Exception
{
    internal MigrationException(string message, Exception? cause = null)
        : base(message, cause)
    {
    }
}
