using System.Buffers;

namespace Vibe.Rpc.Listener;

/// <summary>What the first bytes of a plaintext connection say about it.</summary>
internal enum WireProtocol
{
    /// <summary>The bytes so far fit more than one protocol.</summary>
    Undecided,

    /// <summary>HTTP/1.x, or something only the HTTP/1.x parser can refuse properly.</summary>
    Http1,

    /// <summary>HTTP/2 with prior knowledge (RFC 9113 §3.3).</summary>
    Http2,

    /// <summary>A TLS record: the client took the port for an HTTPS one.</summary>
    Tls,
}

/// <summary>Tells HTTP/2 from HTTP/1.x by the client connection preface of RFC 9113 §3.4.</summary>
internal static class Preface
{
    /// <summary>The 24 bytes every HTTP/2 client sends first. "PRI" was reserved so that no HTTP/1.x request starts like it.</summary>
    public static ReadOnlySpan<byte> Http2 => "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"u8;

    /// <summary>A fatal handshake_failure alert (RFC 8446 §6.2): the TLS client fails at once and with a reason.</summary>
    public static ReadOnlySpan<byte> TlsAlert => [21, 3, 1, 0, 2, 2, 40];

    private const byte TlsHandshakeRecord = 22;

    /// <summary>Decides as early as the bytes allow: an HTTP/1.x request is known by its first byte, or its second when it starts with P.</summary>
    public static WireProtocol Classify(in ReadOnlySequence<byte> received)
    {
        var start = received.Slice(0, Math.Min(received.Length, Http2.Length));
        Span<byte> bytes = stackalloc byte[24];
        start.CopyTo(bytes);
        bytes = bytes[..(int)start.Length];
        if (Http2.StartsWith(bytes))
        {
            return bytes.Length == Http2.Length ? WireProtocol.Http2 : WireProtocol.Undecided;
        }

        return bytes[0] == TlsHandshakeRecord ? WireProtocol.Tls : WireProtocol.Http1;
    }
}
