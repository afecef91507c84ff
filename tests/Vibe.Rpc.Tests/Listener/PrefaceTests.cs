using System.Buffers;
using System.Text;
using Vibe.Rpc.Listener;

namespace Vibe.Rpc.Tests.Listener;

public sealed class PrefaceTests
{
    [Fact]
    public void Every_proper_prefix_of_the_preface_is_undecided_and_the_whole_is_http2()
    {
        for (var length = 0; length < 24; length++)
        {
            Assert.Equal(WireProtocol.Undecided, Classify(Preface.Http2[..length]));
        }

        Assert.Equal(WireProtocol.Http2, Classify(Preface.Http2));
        Assert.Equal(WireProtocol.Http2, Classify([.. Preface.Http2, 0, 0, 0, 4]));
    }

    [Fact]
    public void A_byte_that_differs_anywhere_makes_it_http1()
    {
        for (var position = 0; position < 24; position++)
        {
            var bytes = Preface.Http2.ToArray();
            bytes[position] ^= 0x20;
            Assert.Equal(WireProtocol.Http1, Classify(bytes.AsSpan(0, position + 1)));
            Assert.Equal(WireProtocol.Http1, Classify(bytes));
        }
    }

    [Theory]
    [InlineData("G", 1)]
    [InlineData("PO", 2)]
    [InlineData("PUT / HTTP/1.1\r\n", 2)]
    [InlineData("PRI * HTTP/1.1\r\n", 12)]
    public void A_request_is_http1_as_soon_as_its_bytes_say_so(string text, int needed)
    {
        var bytes = Encoding.ASCII.GetBytes(text);
        Assert.Equal(WireProtocol.Undecided, Classify(bytes.AsSpan(0, needed - 1)));
        Assert.Equal(WireProtocol.Http1, Classify(bytes.AsSpan(0, needed)));
    }

    [Fact]
    public void A_tls_record_is_known_by_its_first_byte() => Assert.Equal(WireProtocol.Tls, Classify([0x16, 0x03, 0x01]));

    [Fact]
    public void Segments_do_not_matter()
    {
        for (var split = 1; split < 24; split++)
        {
            var first = new Segment(Preface.Http2[..split].ToArray());
            var last = first.Append(Preface.Http2[split..].ToArray());
            Assert.Equal(WireProtocol.Http2, Preface.Classify(new ReadOnlySequence<byte>(first, 0, last, last.Memory.Length)));
        }
    }

    private static WireProtocol Classify(ReadOnlySpan<byte> bytes) => Preface.Classify(new ReadOnlySequence<byte>(bytes.ToArray()));

    private sealed class Segment : ReadOnlySequenceSegment<byte>
    {
        public Segment(byte[] bytes) => Memory = bytes;

        public Segment Append(byte[] bytes)
        {
            var next = new Segment(bytes) { RunningIndex = RunningIndex + Memory.Length };
            Next = next;
            return next;
        }
    }
}
