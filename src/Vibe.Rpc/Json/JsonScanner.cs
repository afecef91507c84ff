using System.Buffers;
using System.Runtime.CompilerServices;
using System.Text;
using System.Text.Unicode;

namespace Vibe.Rpc.Json;

/// <summary>
/// Reads JSON (RFC 8259, strictly) forward, one value at a time, for recursive descent. Strings and numbers are slices of the text.
/// </summary>
/// <remarks>
/// Utf8JsonReader was measured and set aside: it lets invalid UTF-8 pass, throws InvalidOperationException for lone surrogates, and
/// twice the time goes into states that recursive descent does not need.
/// </remarks>
internal ref struct JsonScanner
{
    private static readonly SearchValues<byte> StringStops = SearchValues.Create(
        [.. Enumerable.Range(0, 0x20).Select(control => (byte)control), (byte)'"', (byte)'\\']);

    private readonly ReadOnlySpan<byte> _text;
    private readonly JsonErrors _errors;
    private readonly int _maxDepth;
    private int _position;
    private int _depth;
    private int _start;
    private long _charged;

    /// <summary>Starts at the beginning of a text, after checking that all of it is UTF-8.</summary>
    public JsonScanner(ReadOnlySpan<byte> text, int maxDepth, JsonErrors errors)
    {
        _text = text;
        _maxDepth = maxDepth;
        _errors = errors;
        if (!Utf8.IsValid(text))
        {
            throw errors.Make(JsonErrorReason.InvalidUtf8, "not UTF-8", text, ValidPrefix(text));
        }
    }

    // How many bytes at the beginning are UTF-8; only an error asks.
    private static int ValidPrefix(ReadOnlySpan<byte> text)
    {
        var length = 0;
        while (Rune.DecodeFromUtf8(text[length..], out _, out var consumed) == OperationStatus.Done)
        {
            length += consumed;
        }

        return length;
    }

    /// <summary>The whole text.</summary>
    public readonly ReadOnlySpan<byte> Text => _text;

    /// <summary>Where the next token is looked for.</summary>
    public readonly int Position => _position;

    /// <summary>Continues where a copy of this scanner stands, which has read whole values.</summary>
    public void MoveTo(scoped JsonScanner copy) => _position = copy._position;

    /// <summary>The first byte of the next token, not consumed; 0 at the end of the text.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public byte Peek()
    {
        var text = _text;
        var position = _position;
        while ((uint)position < (uint)text.Length)
        {
            var next = text[position];
            if (next > ' ' || !IsSpace(next))
            {
                _position = _start = position;
                return next;
            }

            position++;
        }

        _position = _start = text.Length;
        return 0;
    }

    /// <summary>Consumes <c>null</c> if that is the next value.</summary>
    public bool TryReadNull()
    {
        if (Peek() != 'n')
        {
            return false;
        }

        Literal("null"u8);
        return true;
    }

    /// <summary>Consumes <c>true</c> or <c>false</c>.</summary>
    public bool ReadBool()
    {
        switch (Peek())
        {
            case (byte)'t':
                Literal("true"u8);
                return true;
            case (byte)'f':
                Literal("false"u8);
                return false;
            default:
                throw FailType("true or false");
        }
    }

    /// <summary>Consumes a number and returns its text.</summary>
    public ReadOnlySpan<byte> ReadNumber()
    {
        if (Peek() is not ((byte)'-' or (>= (byte)'0' and <= (byte)'9')))
        {
            throw FailType("a number");
        }

        var length = JsonNumber.Match(_text[_position..]);
        if (length == 0)
        {
            throw Malformed();
        }

        var number = _text.Slice(_position, length);
        _position += length;
        return number;
    }

    /// <summary>Consumes a string and returns what is between its quotes, escapes and all.</summary>
    public ReadOnlySpan<byte> ReadString(out bool escaped)
    {
        if (Peek() != '"')
        {
            throw FailType("a string");
        }

        return StringBody(out escaped);
    }

    /// <summary>Enters an object.</summary>
    public void BeginObject()
    {
        if (Peek() != '{')
        {
            throw FailType("an object");
        }

        Descend();
    }

    /// <summary>
    /// Consumes the name of the next member and its colon, or the end of the object. Afterwards an error points at the member.
    /// </summary>
    public bool NextMember(ref bool first, out ReadOnlySpan<byte> name, out bool escaped)
    {
        var next = Peek();
        if (next == '}')
        {
            Ascend();
            name = [];
            escaped = false;
            return false;
        }

        if (!first)
        {
            next = Comma(next);
        }

        first = false;
        if (next != '"')
        {
            throw Malformed();
        }

        name = StringBody(out escaped);
        if (Peek() != ':')
        {
            throw Malformed();
        }

        _start = ++_position;
        return true;
    }

    /// <summary>Enters an array.</summary>
    public void BeginArray()
    {
        if (Peek() != '[')
        {
            throw FailType("an array");
        }

        Descend();
    }

    /// <summary>Stands before the next item, or consumes the end of the array.</summary>
    public bool NextItem(ref bool first)
    {
        var next = Peek();
        if (next == ']')
        {
            Ascend();
            return false;
        }

        if (!first)
        {
            Comma(next);
        }

        first = false;
        return true;
    }

    /// <summary>Consumes a value of any kind, checking its syntax and depth.</summary>
    public void Skip()
    {
        var first = true;
        switch (Peek())
        {
            case (byte)'{':
                BeginObject();
                while (NextMember(ref first, out _, out _))
                {
                    Skip();
                }

                break;
            case (byte)'[':
                BeginArray();
                while (NextItem(ref first))
                {
                    Skip();
                }

                break;
            case (byte)'"':
                StringBody(out _);
                break;
            case (byte)'t':
            case (byte)'f':
                ReadBool();
                break;
            case (byte)'n':
                Literal("null"u8);
                break;
            case (byte)'-':
            case >= (byte)'0' and <= (byte)'9':
                ReadNumber();
                break;
            default:
                throw Malformed();
        }
    }

    /// <summary>Checks that nothing but white space is left.</summary>
    public void End()
    {
        Peek();
        if (_position < _text.Length)
        {
            throw Fail(JsonErrorReason.MalformedJson, $"text after the value, at byte {_position}");
        }
    }

    /// <summary>
    /// Accounts for text that a copy of this scanner read ahead. Nested values read ahead again and again would make quadratic work of a
    /// small input.
    /// </summary>
    public void Charge(scoped JsonScanner copy)
    {
        _charged += copy._position - _position;
        if (_charged > 65_536 + (8L * _text.Length))
        {
            throw Fail(JsonErrorReason.DepthLimit, "too many nested google.protobuf.Any whose @type does not come first");
        }
    }

    /// <summary>The error to throw about the value or member read last, or about to be read.</summary>
    public readonly JsonCodecException Fail(string reason, string message) => _errors.Make(reason, message, _text, _start);

    /// <summary>The error to throw when the next value has the wrong type, or is not JSON at all.</summary>
    public readonly JsonCodecException FailType(string wanted) => JsonText.NameOfKind(_start < _text.Length ? _text[_start] : (byte)0) switch
    {
        null => Malformed(),
        var found => Fail(JsonErrorReason.WrongType, $"{wanted} is expected, not {found}"),
    };

    private readonly JsonCodecException Malformed()
    {
        var what = _position >= _text.Length ? "the input ends too early" : $"no valid JSON at byte {_position}";
        return Fail(JsonErrorReason.MalformedJson, what);
    }

    private static bool IsSpace(byte next) => next is (byte)' ' or (byte)'\n' or (byte)'\r' or (byte)'\t';

    private void Descend()
    {
        if (_depth == _maxDepth)
        {
            throw Fail(JsonErrorReason.DepthLimit, $"nested deeper than {_maxDepth} levels");
        }

        _depth++;
        _position++;
    }

    private void Ascend()
    {
        _depth--;
        _start = ++_position;
    }

    // Returns the token after the comma. `[1,]` and `{"a":1,}` fail here, as no value starts with a bracket that closes.
    private byte Comma(byte next)
    {
        if (next != ',')
        {
            throw Malformed();
        }

        _position++;
        next = Peek();
        return next is (byte)']' or (byte)'}' ? throw Malformed() : next;
    }

    private void Literal(ReadOnlySpan<byte> literal)
    {
        if (!_text[_position..].StartsWith(literal))
        {
            throw Malformed();
        }

        _position += literal.Length;
    }

    private ReadOnlySpan<byte> StringBody(out bool escaped)
    {
        escaped = false;
        var begin = _position + 1;
        var position = begin;
        while (true)
        {
            var length = _text[position..].IndexOfAny(StringStops);
            if (length < 0)
            {
                _position = _text.Length;
                throw Malformed();
            }

            position += length;
            var stop = _text[position];
            if (stop == '"')
            {
                _position = position + 1;
                return _text[begin..position];
            }

            var escape = stop == '\\' ? JsonText.MatchEscape(_text[position..]) : 0;
            if (escape <= 0)
            {
                _position = position;
                throw escape == 0 ? Malformed() : Fail(JsonErrorReason.LoneSurrogate, $"half of a surrogate pair at byte {position}");
            }

            escaped = true;
            position += escape;
        }
    }
}
