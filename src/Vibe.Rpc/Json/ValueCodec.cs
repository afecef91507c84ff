namespace Vibe.Rpc.Json;

/// <summary>Reads and writes one value of a field type: a singular field, an element of a list, a value of a map.</summary>
internal abstract class ValueCodec<T>
{
    /// <summary>Whether null is a value, not the absence of one.</summary>
    public virtual bool AcceptsNull => false;

    /// <summary>Whether the default of the CLR type stands for an absent value, which has no form of its own.</summary>
    public virtual bool DefaultIsAbsent => false;

    /// <summary>What an absent value looks like where one must be written.</summary>
    public virtual ReadOnlySpan<byte> AbsentForm => "null"u8;

    /// <summary>Whether a field without presence leaves the value out.</summary>
    public abstract bool IsDefault(T value);

    /// <summary>Writes a value.</summary>
    public abstract void Write(T value, ref JsonOutput json);

    /// <summary>Reads a value.</summary>
    /// <returns>False when the value is unknown and to be ignored.</returns>
    public abstract bool Read(ref JsonScanner json, out T value);
}

/// <summary>A value of a wrapper message around a value type; generated code holds it as a nullable.</summary>
internal sealed class NullableCodec<T>(ValueCodec<T> inner) : ValueCodec<T?>
    where T : struct
{
    public override bool DefaultIsAbsent => true;

    public override bool IsDefault(T? value) => value is null;

    public override void Write(T? value, ref JsonOutput json) => inner.Write(value.GetValueOrDefault(), ref json);

    public override bool Read(ref JsonScanner json, out T? value)
    {
        var known = inner.Read(ref json, out var content);
        value = content;
        return known;
    }
}

/// <summary>A value of a wrapper message around a string or bytes; generated code holds it as a reference that may be null.</summary>
internal sealed class AbsentCodec<T>(ValueCodec<T> inner) : ValueCodec<T>
    where T : class
{
    public override bool DefaultIsAbsent => true;

    public override bool IsDefault(T value) => value is null;

    public override void Write(T value, ref JsonOutput json) => inner.Write(value, ref json);

    public override bool Read(ref JsonScanner json, out T value) => inner.Read(ref json, out value);
}
