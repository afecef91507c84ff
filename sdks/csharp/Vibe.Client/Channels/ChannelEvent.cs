namespace Vibe.Client;

/// <summary>Who is present in a channel.</summary>
/// <typeparam name="TState">What members say of themselves.</typeparam>
/// <param name="Id">The member: a joined stream. Somebody with two windows is two members.</param>
/// <param name="User">The DID behind it; empty for a signed-out visitor.</param>
/// <param name="State">What it says of itself.</param>
public sealed record ChannelMember<TState>(string Id, string User, TState State);

/// <summary>What happens in a channel.</summary>
/// <typeparam name="TState">What members say of themselves.</typeparam>
/// <typeparam name="TMessage">What they send.</typeparam>
public abstract record ChannelEvent<TState, TMessage>
{
    private protected ChannelEvent()
    {
    }
}

/// <summary>Who is present is different now.</summary>
/// <typeparam name="TState">What members say of themselves.</typeparam>
/// <typeparam name="TMessage">What they send.</typeparam>
/// <param name="Members">Who is present, this member among them while it has a state.</param>
public sealed record ChannelPresence<TState, TMessage>(IReadOnlyList<ChannelMember<TState>> Members) : ChannelEvent<TState, TMessage>;

/// <summary>A member has sent a message.</summary>
/// <typeparam name="TState">What members say of themselves.</typeparam>
/// <typeparam name="TMessage">What they send.</typeparam>
/// <param name="From">The member.</param>
/// <param name="User">The DID behind it; empty for a signed-out visitor.</param>
/// <param name="IsDirect">Whether it was sent to this member alone.</param>
/// <param name="Payload">What it says.</param>
public sealed record ChannelMessage<TState, TMessage>(string From, string User, bool IsDirect, TMessage Payload) : ChannelEvent<TState, TMessage>;

/// <summary>This client reads too slowly: messages are lost. Presence is complete all the same.</summary>
/// <typeparam name="TState">What members say of themselves.</typeparam>
/// <typeparam name="TMessage">What they send.</typeparam>
/// <param name="Count">How many.</param>
public sealed record ChannelDropped<TState, TMessage>(int Count) : ChannelEvent<TState, TMessage>;
