using System.Buffers;
using System.Collections.Concurrent;
using System.Globalization;
using Npgsql;

namespace Vibe.Postgres.Sessions;

/// <summary>Turns a <see cref="Sql"/> tree into statement text and a flat list of parameters.</summary>
internal static class SqlText
{
    // Texts seen before are handed out again instead of being built anew. Dynamic filters have many shapes: past the limit
    // a text is simply made for its one use.
    private const int MaxCachedTexts = 4096;
    private static readonly ConcurrentDictionary<string, string> Cache = new(StringComparer.Ordinal);
    private static readonly ConcurrentDictionary<string, string>.AlternateLookup<ReadOnlySpan<char>> CacheBySpan =
        Cache.GetAlternateLookup<ReadOnlySpan<char>>();

    /// <summary>Renders <paramref name="sql"/>; its parameters are appended to <paramref name="parameters"/> in the order of their numbers.</summary>
    public static string Render(Sql sql, List<NpgsqlParameter>? parameters)
    {
        if (sql.Parts is [string constant])
        {
            return constant;
        }

        var writer = new Writer(ArrayPool<char>.Shared.Rent(1024), parameters ?? []);
        try
        {
            writer.Write(sql);
            var text = writer.Text;
            if (CacheBySpan.TryGetValue(text, out var known))
            {
                return known;
            }
            var made = text.ToString();
            if (Cache.Count < MaxCachedTexts)
            {
                Cache.TryAdd(made, made);
            }
            return made;
        }
        finally
        {
            ArrayPool<char>.Shared.Return(writer.Buffer);
        }
    }

    private ref struct Writer(char[] buffer, List<NpgsqlParameter> parameters)
    {
        private int _length;

        public char[] Buffer { get; private set; } = buffer;

        public readonly ReadOnlySpan<char> Text => Buffer.AsSpan(0, _length);

        public void Write(Sql sql)
        {
            foreach (var part in sql.Parts)
            {
                switch (part)
                {
                    case string literal:
                        Reserve(literal.Length);
                        literal.CopyTo(Buffer.AsSpan(_length));
                        _length += literal.Length;
                        break;
                    case NpgsqlParameter parameter:
                        WriteNumber(Number(parameter));
                        break;
                    case Sql nested:
                        Write(nested);
                        break;
                }
            }
        }

        private readonly int Number(NpgsqlParameter parameter)
        {
            var index = parameters.IndexOf(parameter);
            if (index < 0)
            {
                parameters.Add(parameter);
                index = parameters.Count - 1;
            }
            return index + 1;
        }

        private void WriteNumber(int number)
        {
            Reserve(12);
            Buffer[_length++] = '$';
            number.TryFormat(Buffer.AsSpan(_length), out var written, provider: CultureInfo.InvariantCulture);
            _length += written;
        }

        private void Reserve(int more)
        {
            if (_length + more <= Buffer.Length)
            {
                return;
            }
            var larger = ArrayPool<char>.Shared.Rent(Math.Max(Buffer.Length * 2, _length + more));
            Text.CopyTo(larger);
            ArrayPool<char>.Shared.Return(Buffer);
            Buffer = larger;
        }
    }
}
