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

    /// <summary>Sends what one transaction changed.</summary>
    /// <param name="transaction">The news.</param>
    /// <param name="hasMore">More follows at once: the network may wait for it.</param>
    /// <param name="cancellationToken">Ends the stream.</param>
    /// <returns>Whether there was anything to send.</returns>
    public async Task<bool> WriteAsync(IReadOnlyList<TargetNews> transaction, bool hasMore, CancellationToken cancellationToken)
    {
        output.WriteOptions = hasMore ? Hint : null;
        if (transaction is [{ Target: { HasEnded: false, Window: null } } single])
        {
            await output.WriteAsync(
                single.Document.FrameFor(caller, single.Target.Plan.Mask, single.Target.Plan.Id, single.Kind), cancellationToken);
            return true;
        }

        var batch = new Batch();
        var bytes = 0;
        var hasWritten = false;
        foreach (var news in transaction.Where(static news => !news.Target.HasEnded))
        {
            if (bytes > 0 && bytes + news.Document.Bytes > MaxFrameBytes)
            {
                batch.HasMore = true;
                await output.WriteAsync(new SubscribeResponse { Batch = batch }, cancellationToken);
                batch = new Batch();
                bytes = 0;
            }

            bytes += news.Document.Bytes;
            hasWritten |= AddTo(batch, news);
        }

        if (batch.Changes.Count > 0)
        {
            await output.WriteAsync(new SubscribeResponse { Batch = batch }, cancellationToken);
        }

        return hasWritten;
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

    private bool AddTo(Batch batch, TargetNews news)
    {
        var plan = news.Target.Plan;
        if (news.Target.Window is not { } window)
        {
            news.Document.AddTo(ChangeOf(batch, plan.Id), caller, plan.Mask, news.Kind);
            return true;
        }

        // The window was read after this transaction: it is in it.
        if (news.Target.Base?.Sees(news.Transaction) == true)
        {
            return false;
        }

        var hasAdded = false;
        foreach (var (document, removed, kind) in window.Apply(news.Document, news.Kind))
        {
            hasAdded = true;
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

        return hasAdded;
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
