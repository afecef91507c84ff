using System.Reflection;
using System.Runtime.CompilerServices;
using System.Text;
using Google.Protobuf;
using Google.Protobuf.Collections;
using Google.Protobuf.Reflection;

namespace Vibe.Rpc.Json;

/// <summary>How one field of one message type is read and written.</summary>
internal abstract class FieldPlan(FieldDescriptor descriptor)
{
    // Name, quotes and colon in one piece, and a comma before them for all but the first member.
    private readonly byte[] _prefix = Encoding.UTF8.GetBytes($",\"{descriptor.JsonName}\":");

    public FieldDescriptor Descriptor { get; } = descriptor;

    /// <summary>The JSON name.</summary>
    public byte[] Name { get; } = Encoding.UTF8.GetBytes(descriptor.JsonName);

    /// <summary>The oneof that the field belongs to; null for an `optional` field.</summary>
    public OneofDescriptor? Choice { get; } = descriptor.RealContainingOneof;

    /// <summary>Its place among the fields of its plan.</summary>
    public int Index { get; set; }

    /// <summary>Whether null is a value of the field.</summary>
    public virtual bool AcceptsNull => false;

    /// <summary>Writes name and value, if there is something to write.</summary>
    /// <returns>Whether there was.</returns>
    public abstract bool Write(IMessage message, bool first, bool emitDefaults, ref JsonOutput json);

    /// <summary>Writes the value alone.</summary>
    public abstract void WriteValue(IMessage message, ref JsonOutput json);

    /// <summary>Reads a value that is not null, or may be.</summary>
    public abstract void Read(IMessage message, ref JsonScanner json);

    /// <summary>Makes the field absent.</summary>
    public void Clear(IMessage message)
    {
        // Setting an absent message of a oneof to null would clear the field that is set.
        if (Choice is null || Descriptor.Accessor.HasValue(message))
        {
            Descriptor.Accessor.Clear(message);
        }
    }

    protected void WriteName(bool first, ref JsonOutput json) => json.Raw(first ? _prefix.AsSpan(1) : _prefix);
}

/// <summary>A field with at most one value.</summary>
internal sealed class SingularPlan<TMessage, T> : FieldPlan
    where TMessage : class, IMessage
{
    private readonly ValueCodec<T> _codec;
    private readonly Func<TMessage, T> _get;
    private readonly Action<TMessage, T> _set;
    private readonly Func<TMessage, bool>? _has;

    public SingularPlan(FieldDescriptor descriptor, PropertyInfo property, ValueCodec<T> codec)
        : base(descriptor)
    {
        _codec = codec;
        _get = property.GetMethod!.CreateDelegate<Func<TMessage, T>>();
        _set = property.SetMethod!.CreateDelegate<Action<TMessage, T>>();
        if (descriptor.HasPresence && !codec.DefaultIsAbsent)
        {
            _has = typeof(TMessage).GetProperty("Has" + descriptor.PropertyName)?.GetMethod?.CreateDelegate<Func<TMessage, bool>>()
                ?? (message => descriptor.Accessor.HasValue(message));
        }
    }

    public override bool AcceptsNull => _codec.AcceptsNull;

    public override bool Write(IMessage message, bool first, bool emitDefaults, ref JsonOutput json)
    {
        var typed = Unsafe.As<TMessage>(message);
        if (_has is not null && !_has(typed))
        {
            return false;
        }

        var value = _get(typed);
        if (_has is null && _codec.IsDefault(value) && (!emitDefaults || _codec.DefaultIsAbsent))
        {
            return false;
        }

        WriteName(first, ref json);
        _codec.Write(value, ref json);
        return true;
    }

    public override void WriteValue(IMessage message, ref JsonOutput json)
    {
        var typed = Unsafe.As<TMessage>(message);
        var value = _get(typed);
        if (_has is null ? _codec.DefaultIsAbsent && _codec.IsDefault(value) : !_has(typed))
        {
            json.Raw(_codec.AbsentForm);
        }
        else
        {
            _codec.Write(value, ref json);
        }
    }

    public override void Read(IMessage message, ref JsonScanner json)
    {
        if (_codec.Read(ref json, out var value))
        {
            _set(Unsafe.As<TMessage>(message), value);
        }
    }
}

/// <summary>A repeated field: an array.</summary>
internal sealed class RepeatedPlan<TMessage, T>(FieldDescriptor descriptor, PropertyInfo property, ValueCodec<T> codec)
    : FieldPlan(descriptor)
    where TMessage : class, IMessage
{
    private readonly Func<TMessage, RepeatedField<T>> _get = property.GetMethod!.CreateDelegate<Func<TMessage, RepeatedField<T>>>();

    public override bool Write(IMessage message, bool first, bool emitDefaults, ref JsonOutput json)
    {
        if (!emitDefaults && _get(Unsafe.As<TMessage>(message)).Count == 0)
        {
            return false;
        }

        WriteName(first, ref json);
        WriteValue(message, ref json);
        return true;
    }

    public override void WriteValue(IMessage message, ref JsonOutput json)
    {
        var list = _get(Unsafe.As<TMessage>(message));
        json.Byte((byte)'[');
        for (var i = 0; i < list.Count; i++)
        {
            if (i > 0)
            {
                json.Byte((byte)',');
            }

            codec.Write(list[i], ref json);
        }

        json.Byte((byte)']');
    }

    public override void Read(IMessage message, ref JsonScanner json)
    {
        var list = _get(Unsafe.As<TMessage>(message));
        json.BeginArray();
        var first = true;
        while (json.NextItem(ref first))
        {
            if (json.Peek() == 'n' && !codec.AcceptsNull)
            {
                throw json.Fail(JsonErrorReason.UnexpectedNull, "an element of a list cannot be null");
            }

            if (codec.Read(ref json, out var value))
            {
                list.Add(value);
            }
        }
    }
}

/// <summary>A map field: an object.</summary>
internal sealed class MapPlan<TMessage, TKey, T>(
    FieldDescriptor descriptor, PropertyInfo property, KeyCodec<TKey> keyCodec, ValueCodec<T> codec) : FieldPlan(descriptor)
    where TMessage : class, IMessage
    where TKey : notnull
{
    private readonly Func<TMessage, MapField<TKey, T>> _get = property.GetMethod!.CreateDelegate<Func<TMessage, MapField<TKey, T>>>();

    public override bool Write(IMessage message, bool first, bool emitDefaults, ref JsonOutput json)
    {
        if (!emitDefaults && _get(Unsafe.As<TMessage>(message)).Count == 0)
        {
            return false;
        }

        WriteName(first, ref json);
        WriteValue(message, ref json);
        return true;
    }

    public override void WriteValue(IMessage message, ref JsonOutput json)
    {
        json.Byte((byte)'{');
        var first = true;
        foreach (var (key, value) in _get(Unsafe.As<TMessage>(message)))
        {
            if (!first)
            {
                json.Byte((byte)',');
            }

            first = false;
            keyCodec.Write(key, ref json);
            json.Byte((byte)':');
            codec.Write(value, ref json);
        }

        json.Byte((byte)'}');
    }

    public override void Read(IMessage message, ref JsonScanner json)
    {
        var map = _get(Unsafe.As<TMessage>(message));

        // Keys that were there before the input are replaced; keys of the input must differ.
        var given = map.Count == 0 ? null : new HashSet<TKey>();
        json.BeginObject();
        var first = true;
        while (json.NextMember(ref first, out var name, out var escaped))
        {
            var key = keyCodec.Read(escaped ? ScalarText.Unescape(name) : name, ref json);
            if (given is null ? map.ContainsKey(key) : !given.Add(key))
            {
                throw json.Fail(JsonErrorReason.DuplicateKey, "the key is given twice");
            }

            if (json.Peek() == 'n' && !codec.AcceptsNull)
            {
                throw json.Fail(JsonErrorReason.UnexpectedNull, "a value of a map cannot be null");
            }

            if (codec.Read(ref json, out var value))
            {
                map[key] = value;
            }
        }
    }
}
