using System.Buffers;
using System.Text;

namespace Grpc.Core;

public sealed partial class Metadata
{
    /// <summary>One name with one value.</summary>
    public class Entry
    {
        // https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-HTTP2.md: Header-Name and ASCII-Value.
        private static readonly SearchValues<char> KeyCharacters = SearchValues.Create("abcdefghijklmnopqrstuvwxyz0123456789_-.");
        private static readonly SearchValues<char> Printable =
            SearchValues.Create(string.Concat(Enumerable.Range(0x20, 0x5F).Select(c => (char)c)));

        private readonly string? _value;
        private readonly byte[]? _bytes;

        /// <summary>A value of bytes.</summary>
        /// <param name="key">The name; must end in <c>-bin</c>. Kept in lower case.</param>
        /// <param name="valueBytes">The value, which is copied.</param>
        /// <exception cref="ArgumentException">The name holds a character that a header must not hold, or does not end in <c>-bin</c>.</exception>
        public Entry(string key, byte[] valueBytes)
        {
            ArgumentNullException.ThrowIfNull(valueBytes);
            Key = NormalizeKey(key);
            if (!IsBinary)
            {
                throw new ArgumentException("The name of a binary value must end in \"-bin\".", nameof(key));
            }

            _bytes = valueBytes.AsSpan().ToArray();
        }

        /// <summary>A text value.</summary>
        /// <param name="key">The name; must not end in <c>-bin</c>. Kept in lower case.</param>
        /// <param name="value">Printable ASCII (0x20 to 0x7E).</param>
        /// <exception cref="ArgumentException">The name or the value holds a character that a header must not hold.</exception>
        public Entry(string key, string value)
        {
            ArgumentNullException.ThrowIfNull(value);
            Key = NormalizeKey(key);
            if (IsBinary)
            {
                throw new ArgumentException("The name of a text value must not end in \"-bin\".", nameof(key));
            }

            if (value.AsSpan().ContainsAnyExcept(Printable))
            {
                throw new ArgumentException("A text value must be printable ASCII; use a \"-bin\" name for anything else.", nameof(value));
            }

            _value = value;
        }

        private Entry(string key, string? value, byte[]? bytes)
        {
            Key = key;
            _value = value;
            _bytes = bytes;
        }

        /// <summary>The name in lower case.</summary>
        public string Key { get; }

        /// <summary>Whether the value is bytes.</summary>
        public bool IsBinary => Key.EndsWith(BinaryHeaderSuffix, StringComparison.OrdinalIgnoreCase);

        /// <summary>The text.</summary>
        /// <exception cref="InvalidOperationException">The value is bytes.</exception>
        public string Value => _value ?? throw new InvalidOperationException("The value is binary: read ValueBytes.");

        /// <summary>The bytes, or the text as ASCII; a new array each time.</summary>
        public byte[] ValueBytes => _value is null ? _bytes.AsSpan().ToArray() : Encoding.ASCII.GetBytes(_value);

        /// <summary>The bytes without a copy, or the text as ASCII.</summary>
        internal ReadOnlySpan<byte> Bytes => _value is null ? _bytes : Encoding.ASCII.GetBytes(_value);

        /// <inheritdoc/>
        public override string ToString() => IsBinary
            ? $"[Entry: key={Key}, valueBytes={Convert.ToBase64String(_bytes!)}]"
            : $"[Entry: key={Key}, value={_value}]";

        /// <summary>An entry as a peer sent it: the transport has checked the name, and an odd value is not the receiver's fault.</summary>
        internal static Entry Received(string key, string value) => new(LowerCase(key), value, null);

        /// <inheritdoc cref="Received(string, string)"/>
        internal static Entry Received(string key, byte[] value) => new(LowerCase(key), null, value);

        internal bool HasKey(string key) => Key.Equals(key, StringComparison.OrdinalIgnoreCase);

        private static string NormalizeKey(string key)
        {
            ArgumentNullException.ThrowIfNull(key);
            var lower = LowerCase(key);
            if (lower.Length == 0 || lower.AsSpan().ContainsAnyExcept(KeyCharacters))
            {
                throw new ArgumentException($"\"{key}\" is no metadata name: use letters, digits, \"_\", \"-\" and \".\".", nameof(key));
            }

            return lower;
        }

        private static string LowerCase(string key) => key.AsSpan().ContainsAnyInRange('A', 'Z') ? key.ToLowerInvariant() : key;
    }
}
