using Google.Protobuf;

namespace Vibe.Rpc.Json;

/// <summary>How messages of one type are read and written, worked out once.</summary>
internal abstract class MessagePlan
{
    /// <summary>Whether null is a value of the type, not the absence of one: <c>google.protobuf.Value</c> only.</summary>
    public virtual bool AcceptsNull => false;

    /// <summary>Whether the type has a form of its own, and so goes under <c>value</c> inside a <c>google.protobuf.Any</c>.</summary>
    public virtual bool IsSpecial => true;

    /// <summary>What an absent message looks like where one must be written.</summary>
    public virtual ReadOnlySpan<byte> AbsentForm => "null"u8;

    /// <summary>Writes a message.</summary>
    public abstract void Write(IMessage message, ref JsonOutput json);

    /// <summary>Reads a value into a message.</summary>
    public abstract void Read(IMessage target, ref JsonScanner json);
}

/// <summary>The base of plans for one known type.</summary>
internal abstract class MessagePlan<T> : MessagePlan
    where T : class, IMessage
{
    public sealed override void Write(IMessage message, ref JsonOutput json) => Write((T)message, ref json);

    public sealed override void Read(IMessage target, ref JsonScanner json) => Read((T)target, ref json);

    protected abstract void Write(T message, ref JsonOutput json);

    protected abstract void Read(T target, ref JsonScanner json);
}

/// <summary>A message as the value of a field.</summary>
/// <param name="plans">Resolves the plan at first use: messages contain themselves.</param>
/// <param name="descriptor">The type.</param>
internal sealed class MessageCodec<T>(MessagePlans plans, Google.Protobuf.Reflection.MessageDescriptor descriptor) : ValueCodec<T>
    where T : class, IMessage<T>, new()
{
    private MessagePlan? _plan;

    public override bool AcceptsNull => Plan.AcceptsNull;

    public override bool DefaultIsAbsent => true;

    public override ReadOnlySpan<byte> AbsentForm => Plan.AbsentForm;

    private MessagePlan Plan => _plan ??= plans.Of(descriptor);

    public override bool IsDefault(T value) => value is null;

    public override void Write(T value, ref JsonOutput json) => Plan.Write(value, ref json);

    public override bool Read(ref JsonScanner json, out T value)
    {
        value = new T();
        Plan.Read(value, ref json);
        return true;
    }
}
