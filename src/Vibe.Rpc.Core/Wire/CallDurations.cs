namespace Vibe.Rpc.Wire;

/// <summary>How durations of calls are counted, at both ends alike.</summary>
internal static class CallDurations
{
    /// <summary>The boundaries that the RPC semantic conventions recommend, in seconds.</summary>
    public static readonly IReadOnlyList<double> Buckets = [0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10];
}
