using System.Globalization;
using System.Text;

namespace Vibe.Rpc.Tests.Json;

/// <summary>Random JSON text from a seed: every syntax that RFC 8259 allows, keys never twice.</summary>
internal sealed class RandomJson(int seed)
{
    private readonly Random _random = new(seed);
    private readonly StringBuilder _text = new();

    public string Object(int maxDepth = 6)
    {
        _text.Clear();
        Members(maxDepth);
        return _text.ToString();
    }

    public string Text() => _random.Next(6) switch
    {
        0 => "",
        1 => "äöü\u20ac\U0001F600",
        2 => "\"\\/\b\f\n\r\t\u001f\u007f\u2028",
        3 => new string('x', _random.Next(300)),
        _ => "key" + _random.Next(1000),
    };

    public double Number() => _random.Next(8) switch
    {
        0 => 0,
        1 => -0.0,
        2 => _random.Next(-1000, 1000),
        3 => _random.NextInt64(1L << 53) * (_random.Next(2) == 0 ? 1 : -1),
        4 => Math.Round(_random.NextDouble() * 1000, 2),
        5 => _random.NextDouble() * Math.Pow(10, _random.Next(-300, 300)),
        6 => BitConverter.Int64BitsToDouble(_random.NextInt64()) is var any && double.IsFinite(any) ? any : double.Epsilon,
        _ => _random.NextInt64(),
    };

    private void Members(int depth)
    {
        var count = _random.Next(40) == 0 ? 100 : _random.Next(6);
        var keys = new HashSet<string>();
        Symbol('{');
        for (var i = 0; i < count; i++)
        {
            // The library's formatter refuses empty keys, which JSON allows: they have a test of their own.
            var key = Text();
            if (key.Length == 0 || !keys.Add(key))
            {
                continue;
            }

            if (keys.Count > 1)
            {
                Symbol(',');
            }

            String(key);
            Symbol(':');
            Value(depth - 1);
        }

        Symbol('}');
    }

    private void Value(int depth)
    {
        switch (_random.Next(depth > 0 ? 8 : 6))
        {
            case 0:
                Word("null");
                break;
            case 1:
                Word(_random.Next(2) == 0 ? "true" : "false");
                break;
            case 2 or 3:
                Number(Number());
                break;
            case 4 or 5:
                String(Text());
                break;
            case 6:
                Members(depth);
                break;
            default:
                Symbol('[');
                for (var (i, count) = (0, _random.Next(5)); i < count; i++)
                {
                    if (i > 0)
                    {
                        Symbol(',');
                    }

                    Value(depth - 1);
                }

                Symbol(']');
                break;
        }
    }

    private void Number(double value) => Word(_random.Next(3) switch
    {
        0 => value.ToString("R", CultureInfo.InvariantCulture),
        1 => value.ToString("E17", CultureInfo.InvariantCulture),
        _ => value.ToString("0.0################", CultureInfo.InvariantCulture),
    });

    private void String(string value)
    {
        _text.Append('"');
        foreach (var unit in value)
        {
            if (unit is '"' or '\\' or < ' ' || _random.Next(20) == 0)
            {
                var letter = "\"\\/\b\f\n\r\t".IndexOf(unit);
                _text.Append(letter >= 0 && _random.Next(2) == 0 ? $"\\{"\"\\/bfnrt"[letter]}" : Escape(unit));
            }
            else
            {
                // Never one half of a pair as it is and the other as an escape: neither means anything alone.
                _text.Append(char.IsSurrogate(unit) ? Escape(unit) : unit);
            }
        }

        Word("\"");
    }

    private string Escape(char unit) => "\\u" + ((int)unit).ToString(_random.Next(2) == 0 ? "x4" : "X4", CultureInfo.InvariantCulture);

    private void Symbol(char symbol) => Word(symbol.ToString());

    private void Word(string word)
    {
        _text.Append(word);
        if (_random.Next(12) == 0)
        {
            _text.Append(" \n\r\t"[_random.Next(4)]);
        }
    }
}
