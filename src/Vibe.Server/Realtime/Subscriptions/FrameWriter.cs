using Grpc.Core;
using Vibe.Realtime.V1;
using Vibe.Rpc;
using Vibe.Server.Kernel;

namespace Vibe.Server.Realtime.Subscriptions;

/// <summary>Turns news into frames and sends them. Not thread-safe: its loop's own.</summary>
internal sealed class FrameWriter(IServerStreamWriter<SubscribeResponse> output, Caller caller)
{
    // Below the 4 MiB that gRPC clients take unless told otherwise.
    private const int MaxFrameBytes = 2 * 1024 * 1024;

    private static readonly WriteOptions Hint = new(WriteFlags.BufferHint);

    private SubscribeResponse? _last;

    /// <summary>Sends what transactions changed, one frame for each.</summary>
    /// <param name="news">The news, each transaction's together.</param>
    /// <param name="cancellationToken">Ends the stream.</param>
    /// <returns>Whether there was anything to send.</returns>
    public async Task<bool> WriteAsync(List<TargetNews> news, CancellationToken cancellationToken)
    {
        for (int start = 0, end; start < news.Count; start = end)
        {
            end = start + 1;
            while (end < news.Count && news[end].Transaction == news[start].Transaction)
            {
                end++;
            }

            if (end > start + 1 || news[start].Target.Window is not null)
            {
                await PutAsync(news.GetRange(start, end - start), cancellationToken);
            }
            else if (news[start] is { Target: { HasEnded: false, Plan: var plan } } single)
            {
                await PutAsync(single.Document.FrameFor(caller, plan.Mask, plan.Id, single.Kind), cancellationToken);
            }
        }

        if (_last is not { } last)
        {
            return false;
        }

        _last = null;
        RealtimeMeters.Deliveries.Add(news.Count);
        await WriteAsync(last, cancellationToken);
        return true;
    }

    /// <summary>Sends documents that were read from the database, for one target.</summary>
    public Task WriteAsync(TargetChange change, CancellationToken cancellationToken)
    {
        output.WriteOptions = null;
        return output.WriteAsync(new SubscribeResponse { Batch = new Batch { Changes = { change } } }, cancellationToken);
    }

    /// <summary>Sends any frame.</summary>
    public Task WriteAsync(SubscribeResponse frame, CancellationToken cancellationToken)
    {
        output.WriteOptions = null;
        return output.WriteAsync(frame, cancellationToken);
    }

    /// <summary>Says that the stream is alive.</summary>
    public Task PingAsync(CancellationToken cancellationToken) => WriteAsync(new SubscribeResponse(), cancellationToken);

    /// <summary>The frame of a failed target.</summary>
    public static TargetError ErrorOf(uint target, RpcException exception)
    {
        var error = new TargetError { TargetId = target, Code = (int)exception.StatusCode, Message = exception.Status.Detail };
        if (exception.GetErrorInfo() is { } info)
        {
            error.Reason = info.Reason;
            error.Metadata.Add(info.Metadata);
        }

        foreach (var violation in exception.GetRpcStatus()?.GetDetail<Google.Rpc.BadRequest>()?.FieldViolations ?? [])
        {
            error.Metadata[violation.Field] = violation.Description;
        }

        return error;
    }

    private async Task PutAsync(List<TargetNews> transaction, CancellationToken cancellationToken)
    {
        var batch = new Batch();
        var bytes = 0;
        foreach (var news in transaction)
        {
            if (news.Target.HasEnded)
            {
                continue;
            }

            if (bytes > 0 && bytes + news.Document.Bytes > MaxFrameBytes)
            {
                batch.HasMore = true;
                await PutAsync(new SubscribeResponse { Batch = batch }, cancellationToken);
                batch = new Batch();
                bytes = 0;
            }

            bytes += news.Document.Bytes;
            AddTo(batch, news);
        }

        if (batch.Changes.Count > 0)
        {
            await PutAsync(new SubscribeResponse { Batch = batch }, cancellationToken);
        }
    }

    // The network may wait for all but the last frame. Which that is, only the end tells.
    private ValueTask PutAsync(SubscribeResponse frame, CancellationToken cancellationToken)
    {
        var before = _last;
        _last = frame;
        if (before is null)
        {
            return default;
        }

        output.WriteOptions = Hint;
        return new ValueTask(output.WriteAsync(before, cancellationToken));
    }

    private void AddTo(Batch batch, TargetNews news)
    {
        var plan = news.Target.Plan;
        if (news.Target.Window is not { } window)
        {
            news.Document.AddTo(ChangeOf(batch, plan.Id), caller, plan.Mask, news.Kind);
            return;
        }

        // The window was read after this transaction: it is in it.
        if (news.Target.Base?.Sees(news.Transaction) == true)
        {
            return;
        }

        foreach (var (document, removed, kind) in window.Apply(news.Document, news.Kind))
        {
            var change = ChangeOf(batch, plan.Id);
            if (document is not null)
            {
                document.AddTo(change, caller, plan.Mask, kind);
            }
            else if (removed is not null)
            {
                change.Removed.Add(new RemovedDocument { Id = removed.Id.ToString(), Revision = removed.Revision });
            }
        }
    }

    private static TargetChange ChangeOf(Batch batch, uint target)
    {
        foreach (var change in batch.Changes)
        {
            if (change.TargetId == target)
            {
                return change;
            }
        }

        var added = new TargetChange { TargetId = target };
        batch.Changes.Add(added);
        return added;
    }
}
