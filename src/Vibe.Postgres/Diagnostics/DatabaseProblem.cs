namespace Vibe.Postgres.Diagnostics;

/// <summary>What a problem is one of.</summary>
public enum DatabaseCheck
{
    /// <summary>The server's version.</summary>
    Version,

    /// <summary>How many connections are in use.</summary>
    Connections,

    /// <summary>Whether a commit survives a crash.</summary>
    Durability,

    /// <summary>How the schema compares with this binary.</summary>
    Schema,

    /// <summary>Whether the roles are there, and under row-level security.</summary>
    Roles,

    /// <summary>Transactions that are open for long.</summary>
    Transactions,

    /// <summary>Replication slots that nobody reads.</summary>
    Slots,

    /// <summary>Room on the disk of an embedded cluster.</summary>
    Disk,
}

/// <summary>Something that is wrong.</summary>
/// <param name="Check">What it is about.</param>
/// <param name="Text">One plain sentence, with what to do.</param>
public sealed record DatabaseProblem(DatabaseCheck Check, string Text);
