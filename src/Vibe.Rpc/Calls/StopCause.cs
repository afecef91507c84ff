namespace Vibe.Rpc.Calls;

/// <summary>Why a call was stopped before its handler had finished. The first cause wins.</summary>
internal enum StopCause
{
    None,

    /// <summary>The client closed the stream or the connection: CANCELLED, which only logs and metrics will see.</summary>
    ClientGone,

    /// <summary>The call's own timer fired: DEADLINE_EXCEEDED.</summary>
    DeadlineExceeded,

    /// <summary>The server is shutting down and the time for draining is over: UNAVAILABLE.</summary>
    Drained,

    /// <summary>The client did not take the response for longer than the write timeout: the stream was reset.</summary>
    SlowReader,
}
