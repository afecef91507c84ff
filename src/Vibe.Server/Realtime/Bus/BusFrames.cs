using System.Buffers.Binary;

namespace Vibe.Server.Realtime.Bus;

/// <summary>
/// Messages to payloads of a notification channel and back. All that waits goes as one frame; a frame is cut into pieces that fit a
/// payload. A piece is base64 of: version, node (16 bytes), number of the frame (4), index and count of the piece (2 each),
/// bytes. The pieces of a frame are sent in one transaction, so they arrive in order with no other in between.
/// </summary>
internal static class BusFrames
{
    private const byte Version = 1;
    private const int HeaderBytes = 25;

    // With the header, 7,900 characters of base64.
    private const int PieceBytes = 5900;

    /// <summary>Payloads for messages.</summary>
    public static IReadOnlyList<string> Write(Guid node, uint number, IReadOnlyList<BusMessage> messages)
    {
        using var frame = new MemoryStream();
        using var writer = new BinaryWriter(frame);
        foreach (var message in messages)
        {
            writer.Write((byte)message.Kind);
            writer.Write(message.To is not null);
            if (message.To is { } to)
            {
                writer.Write(to.ToByteArray());
            }

            writer.Write7BitEncodedInt(message.Body.Length);
            writer.Write(message.Body.Span);
        }

        var bytes = frame.ToArray();
        var count = Math.Max(1, (bytes.Length + PieceBytes - 1) / PieceBytes);
        var payloads = new List<string>(count);
        for (var index = 0; index < count; index++)
        {
            var piece = bytes.AsSpan(index * PieceBytes, Math.Min(PieceBytes, bytes.Length - (index * PieceBytes)));
            var payload = new byte[HeaderBytes + piece.Length];
            payload[0] = Version;
            node.TryWriteBytes(payload.AsSpan(1));
            BinaryPrimitives.WriteUInt32LittleEndian(payload.AsSpan(17), number);
            BinaryPrimitives.WriteUInt16LittleEndian(payload.AsSpan(21), (ushort)index);
            BinaryPrimitives.WriteUInt16LittleEndian(payload.AsSpan(23), (ushort)count);
            piece.CopyTo(payload.AsSpan(HeaderBytes));
            payloads.Add(Convert.ToBase64String(payload));
        }

        return payloads;
    }

    /// <summary>Puts pieces together. Not thread-safe.</summary>
    public sealed class Assembler
    {
        private readonly List<byte> _frame = [];
        private Guid _node;
        private uint _number;
        private int _next;

        /// <summary>Takes a payload.</summary>
        /// <param name="payload">The payload.</param>
        /// <param name="node">Who sent it.</param>
        /// <returns>The messages of a frame that is complete with it; none otherwise.</returns>
        /// <exception cref="IOException">It is no payload of this form.</exception>
        public IReadOnlyList<BusMessage> Take(string payload, out Guid node)
        {
            var bytes = new byte[payload.Length];
            if (!Convert.TryFromBase64String(payload, bytes, out var length) || length < HeaderBytes || bytes[0] != Version)
            {
                throw new InvalidDataException("A payload of another form.");
            }

            node = new Guid(bytes.AsSpan(1, 16));
            var number = BinaryPrimitives.ReadUInt32LittleEndian(bytes.AsSpan(17));
            var index = BinaryPrimitives.ReadUInt16LittleEndian(bytes.AsSpan(21));
            var count = BinaryPrimitives.ReadUInt16LittleEndian(bytes.AsSpan(23));
            if (index == 0)
            {
                (_node, _number, _next) = (node, number, 0);
                _frame.Clear();
            }

            // The beginning was sent before this node listened.
            if (node != _node || number != _number || index != _next)
            {
                return [];
            }

            _frame.AddRange(bytes.AsSpan(HeaderBytes, length - HeaderBytes));
            _next++;
            return _next == count ? Read([.. _frame]) : [];
        }

        private static List<BusMessage> Read(byte[] frame)
        {
            List<BusMessage> messages = [];
            using var reader = new BusReader(frame);
            while (!reader.IsAtEnd)
            {
                var kind = (BusKind)reader.ReadByte();
                Guid? to = reader.ReadBoolean() ? reader.ReadGuid() : null;
                messages.Add(new BusMessage(kind, to, reader.ReadBlob()));
            }

            return messages;
        }
    }
}
