using System.Buffers;
using System.Diagnostics;
using System.Globalization;
using System.Text;
using Google.Protobuf;
using Google.Protobuf.WellKnownTypes;
using Vibe.Rpc.Json;
using Vibe.RpcTest.V1;

namespace Vibe.Benchmarks.Json;

/// <summary>The JSON codec and the Struct transcoder against Google.Protobuf's JsonParser and JsonFormatter, in one run.</summary>
/// <remarks>
/// Times are the best of many short, interleaved rounds, so that other load disturbs both sides alike; read the ratios. The library
/// works on strings: where UTF-8 comes in or goes out, the conversion belongs to its time, as it would on a server.
/// </remarks>
internal static class JsonBench
{
    private const int Rounds = 60;
    private static readonly TimeSpan RoundTime = TimeSpan.FromMilliseconds(4);

    /// <summary>Runs all pairs and prints a table; takes about 15 seconds.</summary>
    public static void Run(TextWriter output)
    {
        ArgumentNullException.ThrowIfNull(output);
        output.WriteLine($"{"step",-34}{"bytes",8}{"library us",12}{"ours us",10}{"ratio",8}{"library B",12}{"ours B",9}");
        foreach (var size in new[] { 300, 10_000 })
        {
            var text = Document(size);
            var json = Encoding.UTF8.GetBytes(text);
            var tree = JsonParser.Default.Parse<Struct>(text);
            var wire = StructJson.ToStruct(json);
            var buffer = new ArrayBufferWriter<byte>(4 * json.Length);
            Compare(output, "JSON to Struct wire", json.Length,
                () => JsonParser.Default.Parse<Struct>(Encoding.UTF8.GetString(json)).ToByteArray(),
                () => Fresh(buffer, () => StructJson.ToStruct(json, buffer)));
            Compare(output, "Struct wire to JSON", json.Length,
                () => Encoding.UTF8.GetBytes(JsonFormatter.Default.Format(Struct.Parser.ParseFrom(wire))),
                () => Fresh(buffer, () => StructJson.ToJson(wire.Span, buffer)));
            Compare(output, "  JSON to tree / to wire", json.Length,
                () => JsonParser.Default.Parse<Struct>(text),
                () => Fresh(buffer, () => StructJson.ToStruct(json, buffer)));
            Compare(output, "  tree / wire to JSON", json.Length,
                () => JsonFormatter.Default.Format(tree),
                () => Fresh(buffer, () => StructJson.ToJson(wire.Span, buffer)));
            Compare(output, "  parse Struct / validate wire", json.Length,
                () => Struct.Parser.ParseFrom(wire),
                () => StructJson.Validate(wire.Span));

            var codec = new JsonCodec();
            var message = Message(size);
            var messageJson = Encoding.UTF8.GetBytes(JsonFormatter.Default.Format(message));
            Compare(output, "AllTypes from JSON", messageJson.Length,
                () => JsonParser.Default.Parse<AllTypes>(Encoding.UTF8.GetString(messageJson)),
                () => codec.Merge(new(messageJson), new AllTypes()));
            Compare(output, "AllTypes to JSON", messageJson.Length,
                () => Encoding.UTF8.GetBytes(JsonFormatter.Default.Format(message)),
                () => Fresh(buffer, () => codec.Write(message, buffer)));
        }
    }

    private static void Fresh(ArrayBufferWriter<byte> buffer, Action action)
    {
        buffer.ResetWrittenCount();
        action();
    }

    private static void Compare(TextWriter output, string step, int bytes, Action library, Action ours)
    {
        // Long enough for the tiered compiler to settle on both.
        for (var i = 0; i < 40; i++)
        {
            Measure(library, RoundTime);
            Measure(ours, RoundTime);
        }

        var (best, bestOurs) = (double.MaxValue, double.MaxValue);
        for (var round = 0; round < Rounds; round++)
        {
            best = Math.Min(best, Measure(library, RoundTime));
            bestOurs = Math.Min(bestOurs, Measure(ours, RoundTime));
        }

        output.WriteLine(string.Create(
            CultureInfo.InvariantCulture,
            $"{step,-34}{bytes,8}{best,12:0.00}{bestOurs,10:0.00}{best / bestOurs,8:0.0}{Allocated(library),12:N0}{Allocated(ours),9:N0}"));
    }

    // Microseconds per call: the fastest of small batches within the time.
    private static double Measure(Action action, TimeSpan time)
    {
        const int Batch = 20;
        var best = double.MaxValue;
        var start = Stopwatch.GetTimestamp();
        do
        {
            var from = Stopwatch.GetTimestamp();
            for (var i = 0; i < Batch; i++)
            {
                action();
            }

            best = Math.Min(best, Stopwatch.GetElapsedTime(from).TotalMicroseconds / Batch);
        }
        while (Stopwatch.GetElapsedTime(start) < time);
        return best;
    }

    private static long Allocated(Action action)
    {
        var before = GC.GetAllocatedBytesForCurrentThread();
        for (var i = 0; i < 100; i++)
        {
            action();
        }

        return (GC.GetAllocatedBytesForCurrentThread() - before) / 100;
    }

    private static string Document(int size)
    {
        const string Item = """{"id":"0191f2c8","title":"Notes on \"design\"","score":4.75,"count":128,"done":false,"tags":["a","b"],"by":null}""";
        var items = string.Join(',', Enumerable.Repeat(Item, Math.Max(1, (size - 120) / (Item.Length + 1))));
        return $$"""{"kind":"feed","owner":"did:web:vibe.localhost:users:0191","updated":"2026-01-02T03:04:05Z","version":12,"items":[{{items}}]}""";
    }

    private static AllTypes Message(int size)
    {
        var item = new AllTypes
        {
            Text = "Notes on design",
            Int32Value = 42,
            Int64Value = 1234567890123,
            DoubleValue = 4.75,
            BoolValue = true,
            Color = AllTypes.Types.Color.Green,
            Tags = { "a", "b" },
            Time = new() { Seconds = 1767323045 },
            WrappedInt32 = 7,
        };
        var message = new AllTypes { Labels = { ["kind"] = "feed" } };
        for (var bytes = 60; bytes < size; bytes += 200)
        {
            message.Children.Add(item.Clone());
        }

        return message;
    }
}
