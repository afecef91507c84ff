using System.Buffers;
using FsCheck;
using FsCheck.Fluent;
using Vibe.Rpc.Wire;

namespace Vibe.Rpc.Tests.Core.Wire;

public sealed class GzipTests
{
    [Fact]
    public void Any_message_survives_compression_split_anywhere() =>
        Prop.ForAll<byte[], int>((message, split) =>
        {
            message ??= [];
            var compressed = Compress(message);
            using var output = new PooledBuffer();
            var sequence = Sequences.Split(compressed, (split & int.MaxValue) % compressed.Length);
            return Gzip.Inflate(sequence, message.Length, output) == InflateResult.Done
                && output.WrittenSpan.SequenceEqual(message);
        }).QuickCheckThrowOnFailure();

    [Fact]
    public void A_bomb_stops_at_the_limit()
    {
        var compressed = Compress(new byte[64 * 1024 * 1024]);
        Assert.True(compressed.Length < 1024 * 1024);
        using var output = new PooledBuffer();
        Assert.Equal(InflateResult.TooLarge, Gzip.Inflate(new(compressed), 100_000, output));
        Assert.True(output.Length <= 100_000);
    }

    [Theory]
    [InlineData(0, false)]
    [InlineData(9_999, false)]
    [InlineData(10_000, true)]
    [InlineData(int.MaxValue, true)]
    public void The_limit_is_exact(int limit, bool fits)
    {
        using var output = new PooledBuffer();
        var expected = fits ? InflateResult.Done : InflateResult.TooLarge;
        Assert.Equal(expected, Gzip.Inflate(new(Compress(new byte[10_000])), limit, output));
    }

    [Fact]
    public void Truncated_and_damaged_streams_are_corrupt()
    {
        var message = new byte[5000];
        new Random(3).NextBytes(message);
        var compressed = Compress(message);
        for (var length = 1; length < compressed.Length; length += 97)
        {
            using var output = new PooledBuffer();
            Assert.Equal(InflateResult.Corrupt, Gzip.Inflate(new(compressed.AsMemory(0, length)), int.MaxValue, output));
        }

        var damaged = compressed.AsSpan().ToArray();
        damaged[^6] ^= 0xFF;
        using var last = new PooledBuffer();
        Assert.Equal(InflateResult.Corrupt, Gzip.Inflate(new(damaged), int.MaxValue, last));
    }

    [Fact]
    public void Arbitrary_bytes_never_throw() =>
        Prop.ForAll<byte[]>(bytes =>
        {
            using var output = new PooledBuffer();
            return Enum.IsDefined(Gzip.Inflate(new(bytes ?? []), 1000, output));
        }).QuickCheckThrowOnFailure();

    [Fact]
    public void An_empty_compressed_message_is_empty()
    {
        using var output = new PooledBuffer();
        Assert.Equal(InflateResult.Done, Gzip.Inflate(ReadOnlySequence<byte>.Empty, 0, output));
        Assert.Equal(0, output.Length);
    }

    [Theory]
    [InlineData("gzip", true)]
    [InlineData("identity, deflate, gzip", true)]
    [InlineData("identity,GZIP;q=0.5", true)]
    [InlineData("gzip;q=0", false)]
    [InlineData("gzip; q=0.000", false)]
    [InlineData("identity,deflate", false)]
    [InlineData("xgzip", false)]
    [InlineData("", false)]
    public void Accepted_encodings_are_read(string header, bool accepted) => Assert.Equal(accepted, Gzip.IsAccepted(header));

    private static byte[] Compress(byte[] message)
    {
        using var buffer = new PooledBuffer();
        Gzip.Deflate(message.AsSpan(), buffer);
        return buffer.WrittenMemory.ToArray();
    }
}
