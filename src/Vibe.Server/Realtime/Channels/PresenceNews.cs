using System.Runtime.InteropServices;
using Vibe.Realtime.V1;

namespace Vibe.Server.Realtime.Channels;

/// <summary>What became of a member's presence.</summary>
internal enum PresenceChangeKind
{
    /// <summary>It was not there.</summary>
    Joined,

    /// <summary>It says something else.</summary>
    Updated,

    /// <summary>It is gone.</summary>
    Left,
}

/// <summary>A change of one member's presence.</summary>
/// <param name="Kind">What became of it.</param>
/// <param name="Presence">As it is now, or was last.</param>
[StructLayout(LayoutKind.Auto)]
internal readonly record struct PresenceNews(PresenceChangeKind Kind, Presence Presence)
{
    /// <summary>This change and an earlier one of the same member as one; null when nothing is left of them.</summary>
    public PresenceNews? After(PresenceNews earlier) => (earlier.Kind, Kind) switch
    {
        (PresenceChangeKind.Joined, PresenceChangeKind.Left) => null,
        (PresenceChangeKind.Joined, _) => this with { Kind = PresenceChangeKind.Joined },
        (PresenceChangeKind.Left, PresenceChangeKind.Joined) => this with { Kind = PresenceChangeKind.Updated },
        _ => this,
    };

    /// <summary>Adds it to a frame.</summary>
    public void AddTo(PresenceChange frame)
    {
        switch (Kind)
        {
            case PresenceChangeKind.Joined:
                frame.Joined.Add(Presence);
                break;
            case PresenceChangeKind.Updated:
                frame.Updated.Add(Presence);
                break;
            default:
                frame.Left.Add(Presence.MemberId);
                break;
        }
    }
}
