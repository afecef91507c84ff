using Google.Protobuf.WellKnownTypes;
using Grpc.Core;
using Vibe.Errors.V1;
using Vibe.Postgres.Replication;
using Vibe.Postgres.Sessions;
using Vibe.Realtime.V1;
using Vibe.Server.Kernel;
using Vibe.Server.Pipeline;
using Vibe.Server.Realtime.Feed;
using Vibe.Server.Realtime.Hub;

namespace Vibe.Server.Realtime.Subscriptions;

/// <summary>What the loops of all streams need.</summary>
internal sealed record SubscriberServices(
    ChangeHub Hub, FeedDatabase Feed, FeedCursors Cursors, TargetStart Start, ICallerAccess Access, RealtimeOptions Options, TimeProvider Time,
    ILogger<Subscriber> Log);

/// <summary>The loop of one stream: the only one that writes to its client.</summary>
/// <param name="services">What it needs.</param>
/// <param name="subscriber">The stream.</param>
/// <param name="output">The client.</param>
/// <param name="failsWithTarget">Whether the stream is its only target: what ends the target ends the call.</param>
internal sealed class SubscriberLoop(
    SubscriberServices services, Subscriber subscriber, IServerStreamWriter<SubscribeResponse> output, bool failsWithTarget)
{
    private static readonly TimeSpan PauseWithoutDatabase = TimeSpan.FromMilliseconds(500);

    // A crowd that reconnects at once would be served in turns anyway.
    private static readonly TimeSpan ReconnectSpread = TimeSpan.FromSeconds(3);

    private readonly FrameWriter _frames = new(output, subscriber.Caller);
    private long _quietSince = services.Time.GetTimestamp();
    private long _checkpointed;
    // The last transaction that was told and that no cursor on this stream covers yet.
    private ulong? _uncovered;

    /// <summary>Serves until the client leaves, the caller's rights end, or the server stops.</summary>
    public async Task RunAsync(CancellationToken drain, CancellationToken cancellationToken)
    {
        using var access = services.Access.Watch(subscriber.Caller, cancellationToken);
        await using var drained = drain.UnsafeRegister(static self => ((Subscriber)self!).Wake(), subscriber);
        await using var over = access.Token.UnsafeRegister(static self => ((Subscriber)self!).Wake(), subscriber);
        services.Hub.Add(subscriber);
        try
        {
            while (true)
            {
                // Read before the queue: all that it sees is in the queue, or was.
                var confirmed = services.Hub.Confirmed;
                var work = subscriber.Take(_uncovered is not null && CheckpointPause <= TimeSpan.Zero);
                if (await IsOverAsync(access, drain))
                {
                    return;
                }

                try
                {
                    await WorkAsync(work, access.Token);
                    await CheckpointAsync(confirmed, access.Token);
                    await WaitAsync();
                }
                catch (OperationCanceledException) when (access.Reason is not null)
                {
                    // Whatever it was about to send is not for this caller any more.
                }

                cancellationToken.ThrowIfCancellationRequested();
            }
        }
        finally
        {
            foreach (var target in subscriber.Take(wantsCheckpoint: false).Ended)
            {
                services.Hub.Detach(target);
            }

            services.Hub.Remove(subscriber);
        }
    }

    private async Task<bool> IsOverAsync(AccessWatch access, CancellationToken drain)
    {
        if (access.Reason is { } reason)
        {
            await EndAccessAsync(reason);
            return true;
        }

        if (drain.IsCancellationRequested)
        {
            var delay = ReconnectSpread * Random.Shared.NextDouble();
            await _frames.WriteAsync(new SubscribeResponse { Reconnect = new Reconnect { Delay = Duration.FromTimeSpan(delay) } }, CancellationToken.None);
            return true;
        }

        if (subscriber.Caller.ExpireTime <= services.Time.GetUtcNow())
        {
            await EndAccessAsync(ErrorReason.TokenExpired);
            return true;
        }

        return false;
    }

    private Task EndAccessAsync(ErrorReason reason) => _frames.WriteAsync(
        new SubscribeResponse { AccessLost = new AccessLost { Reason = VibeError.NameOf(reason) } }, CancellationToken.None);

    private async Task WorkAsync(SubscriberWork work, CancellationToken cancellationToken)
    {
        foreach (var target in work.Ended)
        {
            services.Hub.Detach(target);
        }

        if (work.IsBehind)
        {
            foreach (var target in subscriber.Targets.Where(target => !work.Starting.Contains(target)))
            {
                await TryAsync(target, cancellationToken);
            }
        }

        if (await _frames.WriteAsync(work.News, cancellationToken))
        {
            _uncovered = work.News[^1].Transaction;
        }

        work.News.Clear();

        foreach (var target in work.Starting)
        {
            await TryAsync(target, cancellationToken);
        }

        foreach (var target in subscriber.Targets)
        {
            if (target.Window is { NeedsReading: true })
            {
                await TryAsync(target, cancellationToken);
            }
        }
    }

    // One target fails alone: the others go on.
    private async Task TryAsync(LiveTarget target, CancellationToken cancellationToken)
    {
        while (!target.HasEnded)
        {
            try
            {
                await services.Start.RunAsync(target, _frames, cancellationToken);
                _quietSince = services.Time.GetTimestamp();
                return;
            }
            catch (DatabaseException exception) when (exception.Kind is DatabaseErrorKind.ConnectionLost or DatabaseErrorKind.TooManyConnections)
            {
                await _frames.PingAsync(cancellationToken);
                await Task.Delay(PauseWithoutDatabase, services.Time, cancellationToken);
            }
            catch (DatabaseException exception) when (Failure.Translate(exception) is { } translated)
            {
                await FailAsync(target, translated, cancellationToken);
            }
            catch (RpcException exception)
            {
                await FailAsync(target, exception, cancellationToken);
            }
            catch (DatabaseException exception)
            {
                RealtimeLog.TargetFailed(services.Log, exception);
                await FailAsync(target, new RpcException(new Status(StatusCode.Internal, "The server made a mistake.")), cancellationToken);
            }
        }
    }

    private async Task FailAsync(LiveTarget target, RpcException exception, CancellationToken cancellationToken)
    {
        services.Hub.Detach(target);
        subscriber.End(target);
        if (failsWithTarget)
        {
            throw exception;
        }

        await _frames.WriteAsync(new SubscribeResponse { TargetError = FrameWriter.ErrorOf(target.Plan.Id, exception) }, cancellationToken);
    }

    private async Task CheckpointAsync(Snapshot? confirmed, CancellationToken cancellationToken)
    {
        var isDue = services.Time.GetElapsedTime(_quietSince) >= services.Options.CheckpointInterval;
        var covers = _uncovered is { } last && confirmed?.Sees(last) == true;
        if (!isDue && !(covers && CheckpointPause <= TimeSpan.Zero))
        {
            return;
        }

        _quietSince = _checkpointed = services.Time.GetTimestamp();
        var targets = subscriber.Targets;
        if (confirmed is null || services.Hub.Epoch is not { } epoch || targets.All(static target => target.Told is null))
        {
            await _frames.PingAsync(cancellationToken);
            return;
        }

        var cursor = services.Cursors.Issue(epoch, subscriber.Caller, confirmed);
        await _frames.WriteAsync(new SubscribeResponse { Checkpoint = new Checkpoint { Cursor = cursor } }, cancellationToken);
        _uncovered = covers ? null : _uncovered;
        foreach (var target in targets.Where(static target => target.Told is not null))
        {
            target.Told = confirmed;
        }
    }

    // What is left of the time between two checkpoints of a stream without a rest.
    private TimeSpan CheckpointPause => services.Options.CheckpointPause - services.Time.GetElapsedTime(_checkpointed);

    private ValueTask WaitAsync()
    {
        var time = services.Options.CheckpointInterval - services.Time.GetElapsedTime(_quietSince);
        if (_uncovered is not null)
        {
            var pause = CheckpointPause;
            if (pause <= TimeSpan.Zero)
            {
                subscriber.WantCheckpoint();
            }
            else if (pause < time)
            {
                time = pause;
            }
        }

        if (subscriber.Caller.ExpireTime is { } end && end - services.Time.GetUtcNow() < time)
        {
            time = end - services.Time.GetUtcNow();
        }

        return subscriber.WaitAsync(time);
    }
}
