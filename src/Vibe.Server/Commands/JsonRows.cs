using System.Buffers;
using System.IO.Pipelines;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Text.Json;

namespace Vibe.Server.Commands;

/// <summary>One value of an import file, or why it could not be read.</summary>
/// <param name="Number">Counts from 1.</param>
/// <param name="Line">The line it begins on, from 1.</param>
/// <param name="Json">The value as it stands in the file; empty when there is an error.</param>
/// <param name="Error">Why the row is bad; null when it is good.</param>
/// <param name="EndOffset">Bytes of the file up to the end of the row.</param>
[StructLayout(LayoutKind.Auto)]
internal readonly record struct JsonRow(long Number, long Line, ReadOnlyMemory<byte> Json, string? Error, long EndOffset);

/// <summary>
/// Reads a file that is one JSON array, or one JSON value a line (NDJSON), without holding more than one row and a
/// buffer. In NDJSON a bad line is one bad row; in an array nothing after a syntax error can be trusted, so it is the
/// last row.
/// </summary>
internal static class JsonRows
{
    private const int MaxRowBytes = 4 * 1024 * 1024;

    private static readonly JsonReaderOptions Options = new() { MaxDepth = 128 };

    /// <summary>Reads the rows in order.</summary>
    public static async IAsyncEnumerable<JsonRow> ReadAsync(Stream stream, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var pipe = PipeReader.Create(stream, new StreamPipeReaderOptions(bufferSize: 1 << 20, leaveOpen: true));
        var position = new Position();
        bool? isArray = null;
        while (true)
        {
            var read = await pipe.ReadAsync(cancellationToken);
            var buffer = read.Buffer;
            position.Skip(ref buffer, isArray == true);
            if (isArray is null && !buffer.IsEmpty)
            {
                isArray = buffer.FirstSpan[0] == '[';
                position.Advance(ref buffer, isArray.Value ? 1 : 0);
            }

            while (position.TryTake(ref buffer, isArray == true, read.IsCompleted) is { } row)
            {
                yield return row;
                if (row.Error is not null && isArray == true)
                {
                    await pipe.CompleteAsync();
                    yield break;
                }
            }

            var atEnd = read.IsCompleted;
            pipe.AdvanceTo(buffer.Start, buffer.End);
            if (atEnd)
            {
                await pipe.CompleteAsync();
                yield break;
            }
        }
    }

    private sealed class Position
    {
        private long _line = 1;
        private long _offset;

        public long Rows { get; private set; }

        public void Advance(ref ReadOnlySequence<byte> buffer, long count)
        {
            foreach (var segment in buffer.Slice(0, count))
            {
                _line += segment.Span.Count((byte)'\n');
            }

            _offset += count;
            buffer = buffer.Slice(count);
        }

        public void Skip(ref ReadOnlySequence<byte> buffer, bool commas)
        {
            var reader = new SequenceReader<byte>(buffer);
            while (reader.TryPeek(out var next) && (next is (byte)' ' or (byte)'\t' or (byte)'\r' or (byte)'\n' || (commas && next == ',')))
            {
                reader.Advance(1);
            }

            Advance(ref buffer, reader.Consumed);
        }

        public JsonRow? TryTake(ref ReadOnlySequence<byte> buffer, bool isArray, bool isFinal)
        {
            Skip(ref buffer, isArray);
            if (buffer.IsEmpty || (isArray && buffer.FirstSpan[0] == ']'))
            {
                return null;
            }

            return isArray ? TakeElement(ref buffer, isFinal) : TakeLine(ref buffer, isFinal);
        }

        private JsonRow? TakeElement(ref ReadOnlySequence<byte> buffer, bool isFinal)
        {
            var reader = new Utf8JsonReader(buffer, isFinal, new JsonReaderState(Options));
            try
            {
                if (!reader.Read() || !reader.TrySkip())
                {
                    return buffer.Length > MaxRowBytes ? Take(ref buffer, buffer.Length, "The row is larger than 4 MiB.") : null;
                }
            }
            catch (JsonException exception)
            {
                return Take(ref buffer, buffer.Length, $"Not valid JSON: {exception.Message}");
            }

            return Take(ref buffer, reader.BytesConsumed, error: null);
        }

        private JsonRow? TakeLine(ref ReadOnlySequence<byte> buffer, bool isFinal)
        {
            if (buffer.PositionOf((byte)'\n') is not { } end)
            {
                if (!isFinal && buffer.Length <= MaxRowBytes)
                {
                    return null;
                }

                end = buffer.End;
            }

            var length = buffer.Slice(0, end).Length;
            var reader = new Utf8JsonReader(buffer.Slice(0, end), isFinalBlock: true, new JsonReaderState(Options));
            try
            {
                reader.Read();
                reader.Skip();
                return reader.Read() ? Take(ref buffer, length, "More than one value on the line.") : Take(ref buffer, length, error: null);
            }
            catch (JsonException exception)
            {
                return Take(ref buffer, length, $"Not valid JSON: {exception.Message}");
            }
        }

        private JsonRow Take(ref ReadOnlySequence<byte> buffer, long length, string? error)
        {
            var json = error is null ? buffer.Slice(0, length).ToArray() : [];
            var start = _line;
            Advance(ref buffer, length);
            Rows++;
            return new JsonRow(Rows, start, json, error, _offset);
        }
    }
}
