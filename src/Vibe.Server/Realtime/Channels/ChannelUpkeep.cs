using Vibe.Errors.V1;
using Vibe.Postgres.Sessions;
using Vibe.Server.Documents;
using Vibe.Server.Kernel;

namespace Vibe.Server.Realtime.Channels;

/// <summary>Ends states whose time is over, and checks members again when the change feed may have missed something.</summary>
internal sealed class ChannelUpkeep(ChannelHub hub, DocumentStore documents, TimeProvider time, ILogger<ChannelUpkeep> log) : BackgroundService
{
    private const int MaxDocuments = 500;
    private static readonly TimeSpan Interval = TimeSpan.FromMilliseconds(250);

    /// <inheritdoc/>
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(Interval, time);
        while (await timer.WaitForNextTickAsync(stoppingToken))
        {
            hub.Expire();
            try
            {
                await RecheckAsync(stoppingToken);
            }
            catch (DatabaseException exception)
            {
                hub.CheckLater();
                RealtimeLog.RecheckFailed(log, exception);
            }
        }
    }

    private async Task RecheckAsync(CancellationToken cancellationToken)
    {
        // One query for all channels of a caller: callers are shared by the streams of a token.
        foreach (var caller in hub.TakeUnchecked().GroupBy(static member => member.Caller, ReferenceEqualityComparer.Instance))
        {
            foreach (var members in caller.Chunk(MaxDocuments))
            {
                var found = await documents.FindAllAsync(
                    (Caller)caller.Key!, [.. members.Select(static member => member.Channel.Document!.Value).Distinct()], budget: null, cancellationToken);
                var readable = found.Select(static document => document.Id).ToHashSet();
                foreach (var member in members.Where(member => !readable.Contains(member.Channel.Document!.Value)))
                {
                    hub.Lose(member, ErrorReason.ChannelNotFound);
                }
            }
        }
    }
}
