namespace Grpc.Core;

/// <summary>What a caller may say about one call.</summary>
public struct CallOptions
{
    /// <summary>Makes options.</summary>
    /// <param name="headers">Metadata to send; null for none.</param>
    /// <param name="deadline">When to give up, in UTC; null for never.</param>
    /// <param name="cancellationToken">Cancels the call.</param>
    /// <param name="writeOptions">How requests are written; null for no hints.</param>
    /// <param name="propagationToken">The call being handled, whose deadline and cancellation are inherited; null for none.</param>
    /// <param name="credentials">Credentials of this call, added to the channel's; null for none.</param>
    public CallOptions(
        Metadata? headers = null,
        DateTime? deadline = null,
        CancellationToken cancellationToken = default,
        WriteOptions? writeOptions = null,
        ContextPropagationToken? propagationToken = null,
        CallCredentials? credentials = null)
    {
        Headers = headers;
        Deadline = deadline;
        CancellationToken = cancellationToken;
        WriteOptions = writeOptions;
        PropagationToken = propagationToken;
        Credentials = credentials;
    }

    /// <summary>Metadata to send; null for none.</summary>
    public Metadata? Headers { get; private init; }

    /// <summary>When to give up, in UTC; null for never.</summary>
    public DateTime? Deadline { get; private init; }

    /// <summary>Cancels the call.</summary>
    public CancellationToken CancellationToken { get; private init; }

    /// <summary>How requests are written; null for no hints.</summary>
    public WriteOptions? WriteOptions { get; private init; }

    /// <summary>The call being handled, whose deadline and cancellation are inherited; null for none.</summary>
    public ContextPropagationToken? PropagationToken { get; private init; }

    /// <summary>Credentials of this call; null for none.</summary>
    public CallCredentials? Credentials { get; private init; }

    /// <summary>Whether the call waits while the server cannot be reached, until its deadline, instead of failing.</summary>
    public bool IsWaitForReady { get; private init; }

    /// <summary>The same options with other metadata.</summary>
    /// <param name="headers">Metadata to send.</param>
    public readonly CallOptions WithHeaders(Metadata headers) => this with { Headers = headers };

    /// <summary>The same options with another deadline.</summary>
    /// <param name="deadline">When to give up, in UTC.</param>
    public readonly CallOptions WithDeadline(DateTime deadline) => this with { Deadline = deadline };

    /// <summary>The same options with another token.</summary>
    /// <param name="cancellationToken">Cancels the call.</param>
    public readonly CallOptions WithCancellationToken(CancellationToken cancellationToken) =>
        this with { CancellationToken = cancellationToken };

    /// <summary>The same options with other write hints.</summary>
    /// <param name="writeOptions">How requests are written.</param>
    public readonly CallOptions WithWriteOptions(WriteOptions writeOptions) => this with { WriteOptions = writeOptions };

    /// <summary>The same options, inheriting from another call.</summary>
    /// <param name="propagationToken">The call being handled.</param>
    public readonly CallOptions WithPropagationToken(ContextPropagationToken propagationToken) =>
        this with { PropagationToken = propagationToken };

    /// <summary>The same options with other credentials.</summary>
    /// <param name="credentials">Credentials of this call.</param>
    public readonly CallOptions WithCredentials(CallCredentials credentials) => this with { Credentials = credentials };

    /// <summary>The same options, waiting for the server or not.</summary>
    /// <param name="waitForReady">Whether the call waits while the server cannot be reached.</param>
    public readonly CallOptions WithWaitForReady(bool waitForReady = true) => this with { IsWaitForReady = waitForReady };
}
