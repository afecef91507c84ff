using Google.Protobuf.WellKnownTypes;
using Google.Rpc;
using Grpc.Core;
using Vibe.Errors.V1;
using Vibe.Postgres.Sessions;
using Vibe.Server.Kernel;

namespace Vibe.Server.Pipeline;

/// <summary>What a client sees of a failure below the handlers.</summary>
internal static class Failure
{
    private const string LockNotAvailable = "55P03";

    /// <summary>
    /// The error of the contract, or null for one that nobody foresaw: the runtime makes INTERNAL of those, with a request
    /// id and without a word of what happened.
    /// </summary>
    public static RpcException? Translate(DatabaseException failure) => failure.Kind switch
    {
        DatabaseErrorKind.SerializationFailure => VibeError.Create(
            StatusCode.Aborted, ErrorReason.WriteConflict, "Another write came first; try again.", [], Retry(milliseconds: 20)),
        // Only a change of the schema holds a lock that keeps readers waiting.
        DatabaseErrorKind.StatementTimeout when failure.SqlState == LockNotAvailable => VibeError.Create(
            StatusCode.Unavailable, ErrorReason.DatabaseUnavailable, "The database is being changed; try again.", [], Retry(milliseconds: 500)),
        DatabaseErrorKind.StatementTimeout => VibeError.Create(
            StatusCode.ResourceExhausted, ErrorReason.QueryTooExpensive,
            "The query takes longer than the server allows: narrow it, or have the field indexed."),
        DatabaseErrorKind.ConnectionLost or DatabaseErrorKind.TooManyConnections => VibeError.Create(
            StatusCode.Unavailable, ErrorReason.DatabaseUnavailable, "The database cannot be reached; try again.", [], Retry(milliseconds: 500)),
        DatabaseErrorKind.DiskFull => VibeError.Create(
            StatusCode.ResourceExhausted, ErrorReason.StorageFull, "The server's disk is full; reading still works."),
        DatabaseErrorKind.NullCharacter => VibeError.Create(
            StatusCode.InvalidArgument, ErrorReason.InvalidArgument, "A text of the request holds U+0000, which no text here can."),
        _ => null,
    };

    private static RetryInfo Retry(int milliseconds) =>
        new() { RetryDelay = Duration.FromTimeSpan(TimeSpan.FromMilliseconds(milliseconds)) };
}
