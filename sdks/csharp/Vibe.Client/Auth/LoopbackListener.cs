using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;

namespace Vibe.Client.Auth;

/// <summary>Takes one answer of a browser on a loopback address (RFC 8252 section 7.3). It speaks as much HTTP as that needs.</summary>
internal sealed class LoopbackListener : IDisposable
{
    private const int MostHeaderBytes = 16 * 1024;

    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly string _path;
    private readonly string _donePage;

    public LoopbackListener(string path, string donePage)
    {
        (_path, _donePage) = (path.StartsWith('/') ? path : "/" + path, donePage);
        _listener.Start();
        RedirectUri = string.Create(CultureInfo.InvariantCulture, $"http://127.0.0.1:{((IPEndPoint)_listener.LocalEndpoint).Port}{_path}");
    }

    public string RedirectUri { get; }

    /// <summary>The query of the first request to the address that is ours.</summary>
    public async Task<IReadOnlyDictionary<string, string>> ReceiveAsync(
        Func<IReadOnlyDictionary<string, string>, bool> isOurs, CancellationToken cancellationToken)
    {
        var received = new TaskCompletionSource<IReadOnlyDictionary<string, string>>(TaskCreationOptions.RunContinuationsAsynchronously);
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var accepting = AcceptAsync(isOurs, received, stop.Token);
        await Task.WhenAny(received.Task, accepting).ConfigureAwait(false);
        if (received.Task.IsCompletedSuccessfully)
        {
            await stop.CancelAsync().ConfigureAwait(false);
            return await received.Task.ConfigureAwait(false);
        }

        await accepting.ConfigureAwait(false);
        throw new OperationCanceledException(cancellationToken);
    }

    // Each connection by itself: browsers open some that they do not use.
    private async Task AcceptAsync(
        Func<IReadOnlyDictionary<string, string>, bool> isOurs, TaskCompletionSource<IReadOnlyDictionary<string, string>> received,
        CancellationToken cancellationToken)
    {
        while (!received.Task.IsCompleted)
        {
            var client = await _listener.AcceptTcpClientAsync(cancellationToken).ConfigureAwait(false);
            _ = ServeAsync(client, isOurs, received, cancellationToken);
        }
    }

    private async Task ServeAsync(
        TcpClient client, Func<IReadOnlyDictionary<string, string>, bool> isOurs,
        TaskCompletionSource<IReadOnlyDictionary<string, string>> received, CancellationToken cancellationToken)
    {
        using var open = client;
        try
        {
            var stream = client.GetStream();
            var target = await ReadTargetAsync(stream, cancellationToken).ConfigureAwait(false);
            var (path, query) = target.Split('?', 2) is [var before, var after] ? (before, ParametersOf(after)) : (target, ParametersOf(""));
            var found = path == _path && isOurs(query);
            await AnswerAsync(stream, found ? "200 OK" : "404 Not Found", found ? _donePage : "", cancellationToken).ConfigureAwait(false);
            if (found)
            {
                received.TrySetResult(query);
            }
        }
        catch (Exception exception) when (exception is IOException or OperationCanceledException)
        {
            // It was closed, or nobody waits any more.
        }
    }

    public void Dispose() => _listener.Dispose();

    // The target of the request line; empty when it is none that can be answered.
    private static async Task<string> ReadTargetAsync(NetworkStream stream, CancellationToken cancellationToken)
    {
        var head = new byte[MostHeaderBytes];
        var length = 0;
        while (length < head.Length && head.AsSpan(0, length).IndexOf("\r\n\r\n"u8) < 0)
        {
            var read = await stream.ReadAsync(head.AsMemory(length), cancellationToken).ConfigureAwait(false);
            if (read == 0)
            {
                break;
            }

            length += read;
        }

        return Encoding.ASCII.GetString(head, 0, length).Split("\r\n", 2)[0].Split(' ') is ["GET", var target, _] ? target : "";
    }

    private static async Task AnswerAsync(NetworkStream stream, string status, string page, CancellationToken cancellationToken)
    {
        var body = Encoding.UTF8.GetBytes(page);
        var head = string.Create(CultureInfo.InvariantCulture,
            $"HTTP/1.1 {status}\r\nContent-Type: text/html; charset=utf-8\r\nContent-Length: {body.Length}\r\nCache-Control: no-store\r\nConnection: close\r\n\r\n");
        await stream.WriteAsync(Encoding.ASCII.GetBytes(head), cancellationToken).ConfigureAwait(false);
        await stream.WriteAsync(body, cancellationToken).ConfigureAwait(false);
    }

    private static Dictionary<string, string> ParametersOf(string query)
    {
        var parameters = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (var part in query.Split('&', StringSplitOptions.RemoveEmptyEntries))
        {
            var pair = part.Split('=', 2);
            parameters.TryAdd(WebUtility.UrlDecode(pair[0]), pair.Length > 1 ? WebUtility.UrlDecode(pair[1]) : "");
        }

        return parameters;
    }
}
