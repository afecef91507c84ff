using Npgsql;

namespace Vibe.Postgres.Sessions;

/// <summary>What went wrong, as far as a caller can act on it.</summary>
public enum DatabaseErrorKind
{
    /// <summary>Anything else, see <see cref="DatabaseException.SqlState"/>: usually a defect.</summary>
    Other,

    /// <summary>A unique constraint was hit; its name is in <see cref="DatabaseException.Constraint"/>.</summary>
    UniqueViolation,

    /// <summary>A foreign key was hit; its name is in <see cref="DatabaseException.Constraint"/>.</summary>
    ForeignKeyViolation,

    /// <summary>A check or not-null constraint was hit; its name is in <see cref="DatabaseException.Constraint"/> for a check.</summary>
    CheckViolation,

    /// <summary>Lost against a concurrent transaction (also: deadlock victim). Nothing was written; running the whole thing again may succeed.</summary>
    SerializationFailure,

    /// <summary>A statement or a wait for a lock took longer than allowed. Nothing was written.</summary>
    StatementTimeout,

    /// <summary>The connection was lost or could not be made. A write may or may not have happened.</summary>
    ConnectionLost,

    /// <summary>A row policy or a missing grant forbids it.</summary>
    InsufficientPrivilege,

    /// <summary>The server's disk is full. Nothing was written.</summary>
    DiskFull,

    /// <summary>A text parameter holds U+0000, which no text in the database can. Nothing was written.</summary>
    NullCharacter,

    /// <summary>All connections, of the pool or of the server, are in use. Nothing was written.</summary>
    TooManyConnections,
}

/// <summary>A failed database operation. The message names the kind and code and never contains data; the cause is the inner exception.</summary>
public sealed class DatabaseException : Exception
{
    private const string IdleInTransactionSessionTimeout = "25P03";

    private DatabaseException(DatabaseErrorKind kind, string? sqlState, string? constraint, Exception cause)
        : base(Describe(kind, sqlState, constraint), cause)
    {
        Kind = kind;
        SqlState = sqlState;
        Constraint = constraint;
    }

    /// <summary>What went wrong.</summary>
    public DatabaseErrorKind Kind { get; }

    /// <summary>The five-character SQLSTATE, or null when the server never answered.</summary>
    public string? SqlState { get; }

    /// <summary>The violated constraint, or null.</summary>
    public string? Constraint { get; }

    /// <summary>Whether <paramref name="exception"/> comes from the driver or the connection below it.</summary>
    internal static bool IsDriverError(Exception exception) => exception is NpgsqlException or IOException or System.Net.Sockets.SocketException;

    /// <summary>The typed form of a driver error.</summary>
    internal static DatabaseException From(Exception exception) => exception switch
    {
        PostgresException error => new(KindOf(error.SqlState), error.SqlState, error.ConstraintName, error),
        // The driver's own words for a pool with no free connection, and for a server that did not answer in time.
        NpgsqlException { InnerException: TimeoutException } error => new(
            error.Message.Contains("pool", StringComparison.Ordinal) ? DatabaseErrorKind.TooManyConnections : DatabaseErrorKind.ConnectionLost,
            null, null, error),
        _ => new(DatabaseErrorKind.ConnectionLost, null, null, exception),
    };

    private static DatabaseErrorKind KindOf(string sqlState) => sqlState switch
    {
        PostgresErrorCodes.UniqueViolation or PostgresErrorCodes.ExclusionViolation => DatabaseErrorKind.UniqueViolation,
        PostgresErrorCodes.ForeignKeyViolation => DatabaseErrorKind.ForeignKeyViolation,
        PostgresErrorCodes.CheckViolation or PostgresErrorCodes.NotNullViolation => DatabaseErrorKind.CheckViolation,
        PostgresErrorCodes.SerializationFailure or PostgresErrorCodes.DeadlockDetected => DatabaseErrorKind.SerializationFailure,
        PostgresErrorCodes.QueryCanceled or PostgresErrorCodes.LockNotAvailable => DatabaseErrorKind.StatementTimeout,
        PostgresErrorCodes.InsufficientPrivilege => DatabaseErrorKind.InsufficientPrivilege,
        PostgresErrorCodes.DiskFull => DatabaseErrorKind.DiskFull,
        // Strings in .NET have no other bytes that UTF-8 forbids.
        PostgresErrorCodes.CharacterNotInRepertoire => DatabaseErrorKind.NullCharacter,
        PostgresErrorCodes.TooManyConnections => DatabaseErrorKind.TooManyConnections,
        PostgresErrorCodes.AdminShutdown or PostgresErrorCodes.CrashShutdown or PostgresErrorCodes.CannotConnectNow
            or IdleInTransactionSessionTimeout => DatabaseErrorKind.ConnectionLost,
        _ when sqlState.StartsWith("08", StringComparison.Ordinal) => DatabaseErrorKind.ConnectionLost,
        _ => DatabaseErrorKind.Other,
    };

    private static string Describe(DatabaseErrorKind kind, string? sqlState, string? constraint) =>
        $"Database error: {kind}{(sqlState is null ? "" : $" ({sqlState})")}{(constraint is null ? "" : $", constraint {constraint}")}.";
}
