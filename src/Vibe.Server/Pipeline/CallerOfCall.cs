using Grpc.Core;
using Vibe.Server.Kernel;

namespace Vibe.Server.Pipeline;

/// <summary>Hands the caller from the pipeline to the handler.</summary>
internal static class CallerOfCall
{
    private static readonly object Key = new();

    /// <summary>Who makes the call. Set by <see cref="Authenticate"/> before any handler runs.</summary>
    public static Caller GetCaller(this ServerCallContext call) => (Caller)call.UserState[Key];

    /// <summary>Says who makes the call.</summary>
    public static void SetCaller(this ServerCallContext call, Caller caller) => call.UserState[Key] = caller;
}
