namespace Vibe.Postgres.Sessions;

/// <summary>What a batch or transaction may do to the database.</summary>
public enum Access
{
    /// <summary>
    /// Reads only; the server rejects a write. A batch that loses its connection is run once more on a fresh one, which is safe because
    /// nothing can have been written.
    /// </summary>
    Read,

    /// <summary>Reads and writes. Never repeated: after a lost connection the outcome is unknown to the caller.</summary>
    Write,
}
