namespace Vibe.Postgres.Embedded;

/// <summary>The embedded PostgreSQL cannot run. The message is one plain sentence that says what to do.</summary>
public sealed class EmbeddedClusterException : Exception
{
    internal EmbeddedClusterException(string message, Exception? cause = null)
        : base(message, cause)
    {
    }
}
