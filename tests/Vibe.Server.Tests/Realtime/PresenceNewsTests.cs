using FsCheck;
using FsCheck.Fluent;
using Vibe.Realtime.V1;
using Vibe.Server.Realtime.Channels;

namespace Vibe.Server.Tests.Realtime;

/// <summary>Several changes of one member as one.</summary>
public sealed class PresenceNewsTests
{
    [Fact]
    public void Changes_taken_together_end_like_each_by_itself() => Prop.ForAll(
        ArbMap.Default.ArbFor<bool>(), ArbMap.Default.ArbFor<bool[]>(), static (wasPresent, presentAfter) =>
        {
            var isPresent = wasPresent;
            PresenceNews? sum = null;
            for (var n = 0; n < presentAfter.Length; n++)
            {
                if (!isPresent && !presentAfter[n])
                {
                    continue;
                }

                var kind = !presentAfter[n] ? PresenceChangeKind.Left : isPresent ? PresenceChangeKind.Updated : PresenceChangeKind.Joined;
                var news = new PresenceNews(kind, new Presence { User = $"{n}" });
                sum = sum is { } earlier ? news.After(earlier) : news;
                isPresent = presentAfter[n];
            }

            // Told someone who knew the beginning, it says the end, and never what cannot be.
            return sum?.Kind switch
            {
                PresenceChangeKind.Joined => !wasPresent && isPresent,
                PresenceChangeKind.Updated => wasPresent && isPresent,
                PresenceChangeKind.Left => wasPresent && !isPresent,
                _ => wasPresent == isPresent,
            };
        }).QuickCheckThrowOnFailure();
}
