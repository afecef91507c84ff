using System.Runtime.InteropServices;
using Vibe.Realtime.V1;
using Vibe.Rpc;

namespace Vibe.Server.Realtime.Channels;

/// <summary>A channel with members on this node. The hub's lock guards it.</summary>
internal sealed class LiveChannel(string key, Guid? document, Allowance allowance)
{
    private readonly Dictionary<string, PresentMember> _present = new(StringComparer.Ordinal);
    private readonly Lock _gatherGate = new();
    private Task? _gathered;

    /// <summary>What it is among all channels.</summary>
    public string Key => key;

    /// <summary>The document it belongs to.</summary>
    public Guid? Document => document;

    /// <summary>What its members may still send.</summary>
    public Allowance Allowance => allowance;

    /// <summary>Members on this node.</summary>
    public Dictionary<string, ChannelMember> Members { get; } = new(StringComparer.Ordinal);

    /// <summary>Who is present, on all nodes.</summary>
    public IEnumerable<Presence> Present => _present.Values.Select(static present => present.Presence);

    /// <summary>Who is present on this node.</summary>
    public IEnumerable<Presence> PresentHere => _present.Values.Where(static present => present.Node is null).Select(static present => present.Presence);

    /// <summary>Ids of those present on another node.</summary>
    public List<string> PresentAt(Guid node) => [.. _present.Where(entry => entry.Value.Node == node).Select(static entry => entry.Key)];

    /// <summary>Starts the gathering for the first who wants it; all others wait for the same.</summary>
    public Task GatherOnceAsync(Func<Task> gather)
    {
        lock (_gatherGate)
        {
            return _gathered ??= gather();
        }
    }

    /// <summary>A member is present.</summary>
    /// <param name="presence">As it is now.</param>
    /// <param name="node">Where; null for this node.</param>
    /// <returns>Whether that is news.</returns>
    public bool Set(Presence presence, Guid? node)
    {
        var isKnown = _present.TryGetValue(presence.MemberId, out var earlier);
        if (isKnown && earlier.Node == node && earlier.Presence.Equals(presence))
        {
            return false;
        }

        _present[presence.MemberId] = new PresentMember(presence, node);
        Tell(new PresenceNews(isKnown ? PresenceChangeKind.Updated : PresenceChangeKind.Joined, presence));
        return true;
    }

    /// <summary>A member is not present any more.</summary>
    /// <param name="member">Which.</param>
    /// <param name="node">Where it was; null for this node.</param>
    /// <returns>Whether it was.</returns>
    public bool Remove(string member, Guid? node)
    {
        if (!_present.TryGetValue(member, out var present) || present.Node != node)
        {
            return false;
        }

        _present.Remove(member);
        Tell(new PresenceNews(PresenceChangeKind.Left, present.Presence));
        return true;
    }

    /// <summary>Hands a message to those it is for.</summary>
    /// <param name="message">The message.</param>
    /// <param name="recipient">The only one; empty for all but the sender.</param>
    public void Deliver(ChannelMessage message, string recipient)
    {
        var frame = new JoinChannelResponse { Message = message, Shared = new SharedBytes() };
        if (recipient.Length > 0)
        {
            Members.GetValueOrDefault(recipient)?.Offer(frame);
            return;
        }

        foreach (var member in Members.Values)
        {
            if (member.Id != message.From)
            {
                member.Offer(frame);
            }
        }
    }

    private void Tell(PresenceNews news)
    {
        foreach (var member in Members.Values)
        {
            member.Offer(news);
        }
    }

    [StructLayout(LayoutKind.Auto)]
    private readonly record struct PresentMember(Presence Presence, Guid? Node);
}
