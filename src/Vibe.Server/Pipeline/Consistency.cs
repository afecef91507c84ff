using Google.Protobuf.WellKnownTypes;
using Google.Rpc;
using Grpc.Core;
using Vibe.Errors.V1;
using Vibe.Postgres.Replication;
using Vibe.Postgres.Sessions;
using Vibe.Server.Kernel;

namespace Vibe.Server.Pipeline;

/// <summary>Settings of consistency tokens, from <c>Vibe:Consistency</c>.</summary>
internal sealed record ConsistencyOptions
{
    /// <summary>How long a read waits for a database that lags behind its token. Default 2 seconds.</summary>
    public TimeSpan Patience { get; init; } = TimeSpan.FromSeconds(2);
}

/// <summary>
/// Lets a read begin only when the database sees the write that its consistency token stands for, and gives writes their token.
/// A call without a token costs nothing here but the look for its header.
/// </summary>
internal sealed class Consistency(Database database, ConsistencyTokens tokens, ConsistencyOptions options, TimeProvider time) : ICallStage, IHostedService
{
    private static readonly TimeSpan FirstPause = TimeSpan.FromMilliseconds(5);
    private static readonly TimeSpan LongestPause = TimeSpan.FromMilliseconds(100);

    // What new tokens carry. After a failover it is out of date until the first token is checked: tokens issued meanwhile are then
    // refused like those from before, never believed.
    private FeedEpoch? _epoch;

    /// <inheritdoc />
    public ValueTask RunAsync(ServerCallContext call, MethodPolicy method) =>
        method.IsRead && Find(call.RequestHeaders) is { } point ? new(WaitAsync(point, call.CancellationToken)) : ValueTask.CompletedTask;

    /// <summary>The write that the call wants to see; null when it asks for none.</summary>
    /// <exception cref="RpcException">CONSISTENCY_TOKEN_INVALID.</exception>
    public WritePoint? Find(Metadata headers)
    {
        if (headers.GetValue(ConsistencyTokens.Header) is not { Length: > 0 } token)
        {
            return null;
        }

        return tokens.TryOpen(token, out var point) ? point : throw Invalid();
    }

    /// <summary>Gives the answer to a write its token; a transaction of 0 has none.</summary>
    public Task StampAsync(ServerCallContext call, ulong transaction) => transaction != 0 && _epoch is { } epoch
        ? call.WriteResponseHeadersWithMessageAsync(
            new Metadata { { ConsistencyTokens.Header, tokens.Issue(WritePoint.Of(epoch, transaction)) } })
        : Task.CompletedTask;

    /// <summary>The write belongs to a database that is no more, or to what a failover has lost.</summary>
    public static RpcException Expired() => VibeError.Create(
        StatusCode.FailedPrecondition, ErrorReason.ConsistencyTokenExpired,
        "The database was restored or failed over since the write of this consistency token: it may be lost. Read again without the token.");

    /// <summary>The write is not visible yet where it is read.</summary>
    public static RpcException Behind() => VibeError.Create(
        StatusCode.Unavailable, ErrorReason.ReplicaBehind, "The database has not caught up with the consistency token; try again.", [],
        new RetryInfo { RetryDelay = Duration.FromTimeSpan(TimeSpan.FromMilliseconds(500)) });

    /// <inheritdoc />
    public async Task StartAsync(CancellationToken cancellationToken) => _epoch = await database.QueryFirstAsync(
        RequestContext.Anonymous, $"select {FeedEpoch.Expression}", static row => new FeedEpoch(row.GetString(0)), cancellationToken);

    /// <inheritdoc />
    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    // On the connections that read: what one of them sees, the statements after it see too.
    private async Task WaitAsync(WritePoint point, CancellationToken cancellationToken)
    {
        var started = time.GetTimestamp();
        for (var pause = FirstPause; ; pause = pause * 2 < LongestPause ? pause * 2 : LongestPause)
        {
            var (epoch, isVisible) = await database.QueryFirstAsync(
                RequestContext.Anonymous,
                $"select {FeedEpoch.Expression}, pg_visible_in_snapshot({point.Transaction}, pg_current_snapshot())",
                static row => (Epoch: new FeedEpoch(row.GetString(0)), IsVisible: row.GetBoolean(1)),
                cancellationToken);
            _epoch = epoch;
            if (!point.IsOf(epoch))
            {
                throw Expired();
            }

            if (isVisible)
            {
                return;
            }

            if (time.GetElapsedTime(started) + pause > options.Patience)
            {
                throw Behind();
            }

            await Task.Delay(pause, time, cancellationToken);
        }
    }

    private static RpcException Invalid() => VibeError.Create(
        StatusCode.InvalidArgument, ErrorReason.ConsistencyTokenInvalid, "The consistency token is broken, or of another installation. Read without it.");
}
