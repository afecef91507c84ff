namespace Grpc.Core;

/// <summary>What a call made by a handler inherits from the call being handled.</summary>
public class ContextPropagationOptions
{
    /// <summary>Inherits deadline and cancellation.</summary>
    public static readonly ContextPropagationOptions Default = new();

    /// <summary>Says what is inherited.</summary>
    /// <param name="propagateDeadline">Whether the deadline is.</param>
    /// <param name="propagateCancellation">Whether cancellation is.</param>
    public ContextPropagationOptions(bool propagateDeadline = true, bool propagateCancellation = true)
    {
        IsPropagateDeadline = propagateDeadline;
        IsPropagateCancellation = propagateCancellation;
    }

    /// <summary>Whether the earlier of both deadlines counts.</summary>
    public bool IsPropagateDeadline { get; }

    /// <summary>Whether the end of the call being handled cancels the call it made.</summary>
    public bool IsPropagateCancellation { get; }
}

/// <summary>Ties a call made by a handler to the call being handled; see <see cref="ServerCallContext.CreatePropagationToken"/>.</summary>
public sealed class ContextPropagationToken
{
    internal ContextPropagationToken(ContextPropagationOptions? options, DateTime deadline, CancellationToken cancellationToken)
    {
        options ??= ContextPropagationOptions.Default;
        Deadline = options.IsPropagateDeadline ? deadline : DateTime.MaxValue;
        CancellationToken = options.IsPropagateCancellation ? cancellationToken : default;
    }

    /// <summary>The latest deadline of the inheriting call, in UTC.</summary>
    internal DateTime Deadline { get; }

    /// <summary>Cancels the inheriting call.</summary>
    internal CancellationToken CancellationToken { get; }
}
