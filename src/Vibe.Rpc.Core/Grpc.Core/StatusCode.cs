namespace Grpc.Core;

/// <summary>The canonical result codes of a call; the numbers go over the wire.</summary>
public enum StatusCode
{
    /// <summary>The call succeeded.</summary>
    OK = 0,

    /// <summary>The caller withdrew the call.</summary>
    Cancelled = 1,

    /// <summary>No better code is known.</summary>
    Unknown = 2,

    /// <summary>The request is wrong whatever the state of the system is.</summary>
    InvalidArgument = 3,

    /// <summary>Time ran out; the work may have been done all the same.</summary>
    DeadlineExceeded = 4,

    /// <summary>The resource does not exist, or the caller may not know that it does.</summary>
    NotFound = 5,

    /// <summary>What was to be created exists already.</summary>
    AlreadyExists = 6,

    /// <summary>The caller is known and may not do this.</summary>
    PermissionDenied = 7,

    /// <summary>A quota or a limit is used up.</summary>
    ResourceExhausted = 8,

    /// <summary>The system is not in the state the request needs; retrying does not help until it is changed.</summary>
    FailedPrecondition = 9,

    /// <summary>A concurrent change got in the way; retry the whole read-modify-write.</summary>
    Aborted = 10,

    /// <summary>Past the end of what exists now.</summary>
    OutOfRange = 11,

    /// <summary>The method does not exist or is switched off.</summary>
    Unimplemented = 12,

    /// <summary>An invariant of the system is broken.</summary>
    Internal = 13,

    /// <summary>The service cannot be reached now; retrying later may help.</summary>
    Unavailable = 14,

    /// <summary>Data is lost or damaged beyond repair.</summary>
    DataLoss = 15,

    /// <summary>The caller is not known: credentials are missing, wrong or expired.</summary>
    Unauthenticated = 16,
}
