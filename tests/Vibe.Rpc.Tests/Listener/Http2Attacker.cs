using System.Buffers.Binary;
using System.Net.Sockets;
using System.Text;
using Vibe.Rpc.Listener;

namespace Vibe.Rpc.Tests.Listener;

/// <summary>A client that writes HTTP/2 frames (RFC 9113 §4.1) as it likes and reads nothing unless asked.</summary>
internal sealed class Http2Attacker(Socket socket) : IDisposable
{
    public const byte Data = 0;
    public const byte Headers = 1;
    public const byte Reset = 3;
    public const byte Settings = 4;
    public const byte Ping = 6;
    public const byte Continuation = 9;

    public const byte EndStream = 1;
    public const byte EndHeaders = 4;

    public Socket Socket => socket;

    public static async Task<Http2Attacker> ConnectAsync(SharedPortHost host)
    {
        var attacker = new Http2Attacker(await host.ConnectAsync());
        await attacker.Socket.SendAsync((byte[])[.. Preface.Http2, .. Frame(Settings, 0, 0, [])]);
        return attacker;
    }

    public static byte[] Frame(byte type, byte flags, int stream, ReadOnlySpan<byte> payload)
    {
        var frame = new byte[9 + payload.Length];
        BinaryPrimitives.WriteUInt32BigEndian(frame, (uint)payload.Length << 8 | type);
        frame[4] = flags;
        BinaryPrimitives.WriteInt32BigEndian(frame.AsSpan(5), stream);
        payload.CopyTo(frame.AsSpan(9));
        return frame;
    }

    /// <summary>The header block of a gRPC call to a path of at most 126 characters, without the dynamic table (RFC 7541 §6.2.2).</summary>
    public static byte[] CallHeaders(string path) =>
    [
        0x83, 0x86, // :method POST, :scheme http
        0x04, .. Text(path),
        0x01, .. Text("localhost"),
        0x0f, 0x10, .. Text("application/grpc"), // content-type
    ];

    /// <summary>Writes until the server closes the connection or <paramref name="times"/> writes are done.</summary>
    /// <returns>False when the server closed it.</returns>
    public async Task<bool> WriteAsync(int times, Func<int, byte[]> next)
    {
        try
        {
            for (var i = 0; i < times; i++)
            {
                await socket.SendAsync(next(i)).WaitAsync(SharedPortHost.Bound);
            }

            return true;
        }
        catch (SocketException)
        {
            return false;
        }
        catch (TimeoutException)
        {
            // The server reads no more and has not closed yet: it resists, too.
            return false;
        }
    }

    /// <summary>Reads frames until one of the type comes.</summary>
    public async Task<byte[]> ReadUntilAsync(byte type)
    {
        while (true)
        {
            var header = await socket.ReadAsync(9);
            var payload = await socket.ReadAsync(header[0] << 16 | header[1] << 8 | header[2]);
            if (header[3] == type)
            {
                return payload;
            }
        }
    }

    public void Dispose() => socket.Dispose();

    private static byte[] Text(string text) => [(byte)text.Length, .. Encoding.ASCII.GetBytes(text)];
}
