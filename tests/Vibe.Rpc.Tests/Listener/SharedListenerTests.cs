using System.Collections.Concurrent;
using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using Microsoft.AspNetCore.Connections;
using Microsoft.Extensions.Options;
using Vibe.Rpc.Listener;

namespace Vibe.Rpc.Tests.Listener;

public sealed class SharedListenerTests
{
    [Fact]
    public async Task One_port_answers_http1_and_http2()
    {
        await using var host = await SharedPortHost.StartAsync();
        using var client = new HttpClient();

        var answers = await Task.WhenAll(Enumerable.Range(0, 20).Select(i =>
            host.GetAsync(client, i % 2 == 0 ? HttpVersion.Version11 : HttpVersion.Version20)));

        Assert.Equal(Enumerable.Range(0, 20).Select(i => i % 2 == 0 ? "HTTP/1.1" : "HTTP/2"), answers);
    }

    [Fact]
    public async Task Port_zero_is_reported_and_printed_once_with_the_real_number()
    {
        using var printed = new Printed();
        await using var host = await SharedPortHost.StartAsync(services: services => services.AddLogging(logging => logging.AddProvider(printed)));

        var address = Assert.Single(host.Addresses);
        Assert.Equal($"http://127.0.0.1:{host.Port}", address);
        Assert.NotEqual(0, host.Port);
        Assert.Single(printed.Lines, line => line == $"Now listening on: {address}");
    }

    [Fact]
    public async Task Localhost_listens_on_both_loopback_addresses_with_one_number()
    {
        await using var host = await SharedPortHost.StartAsync(options => options.ListenSharedLocalhost(0));
        using var client = new HttpClient();

        Assert.Equal($"http://localhost:{host.Port}", Assert.Single(host.Addresses));
        foreach (var version in new[] { HttpVersion.Version11, HttpVersion.Version20 })
        {
            await host.GetAsync(client, version);
            if (HasIPv6Loopback())
            {
                await host.GetAsync(client, version, $"[::1]:{host.Port}");
            }
        }
    }

    [Fact]
    public async Task A_unix_domain_socket_can_be_shared()
    {
        var path = Path.Combine(Path.GetTempPath(), $"shared-{Guid.NewGuid():N}.sock");
        await using var host = await SharedPortHost.StartAsync(options => options.ListenShared(new UnixDomainSocketEndPoint(path)));
        using var client = new HttpClient(new SocketsHttpHandler
        {
            ConnectCallback = async (_, cancellationToken) =>
            {
                var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
                await socket.ConnectAsync(new UnixDomainSocketEndPoint(path), cancellationToken);
                return new NetworkStream(socket, ownsSocket: true);
            },
        });

        Assert.Equal("HTTP/1.1", await host.GetAsync(client, HttpVersion.Version11, "localhost"));
        Assert.Equal("HTTP/2", await host.GetAsync(client, HttpVersion.Version20, "localhost"));
        Assert.Equal($"http://unix:{path}", Assert.Single(host.Addresses));
    }

    [Fact]
    public async Task The_preface_may_arrive_split_at_every_byte()
    {
        await using var host = await SharedPortHost.StartAsync();
        byte[] opening = [.. Preface.Http2, 0, 0, 0, 4, 0, 0, 0, 0, 0];
        for (var split = 1; split < opening.Length; split++)
        {
            using var socket = await host.ConnectAsync();
            await socket.SendAsync(opening.AsMemory(0, split));
            await socket.SendAsync(opening.AsMemory(split));
            Assert.Equal(4, (await socket.ReadAsync(9))[3]); // the server's SETTINGS frame
        }
    }

    [Fact]
    public async Task The_preface_may_arrive_byte_by_byte()
    {
        await using var host = await SharedPortHost.StartAsync();
        using var socket = await host.ConnectAsync();
        for (var i = 0; i < Preface.Http2.Length; i++)
        {
            await socket.SendAsync(Preface.Http2.Slice(i, 1).ToArray());
        }

        await socket.SendAsync(new byte[] { 0, 0, 0, 4, 0, 0, 0, 0, 0 });
        Assert.Equal(4, (await socket.ReadAsync(9))[3]);
    }

    [Theory]
    [InlineData("POST")]
    [InlineData("PUT")]
    [InlineData("PATCH")]
    [InlineData("PROPFIND")]
    [InlineData("PRI")]
    public async Task A_method_that_starts_like_the_preface_is_http1(string method)
    {
        await using var host = await SharedPortHost.StartAsync();
        using var socket = await host.ConnectAsync();
        foreach (var letter in Encoding.ASCII.GetBytes($"{method} / HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n"))
        {
            await socket.SendAsync(new[] { letter });
        }

        Assert.Equal("HTTP/1.1 200", Encoding.ASCII.GetString(await socket.ReadAsync(12)));
    }

    [Fact]
    public async Task A_tls_client_is_refused_at_once_with_an_alert()
    {
        await using var host = await SharedPortHost.StartAsync(clock: new ManualClock());
        using var socket = await host.ConnectAsync();
        await using var tls = new SslStream(new NetworkStream(socket));

        await Assert.ThrowsAsync<AuthenticationException>(() => tls.AuthenticateAsClientAsync("localhost").WaitAsync(SharedPortHost.Bound));
    }

    [Fact]
    public async Task A_port_in_use_fails_as_kestrel_fails()
    {
        await using var host = await SharedPortHost.StartAsync();

        var failure = await Assert.ThrowsAsync<IOException>(() =>
            SharedPortHost.StartAsync(options => options.ListenShared(IPAddress.Loopback, host.Port)));
        Assert.IsType<AddressInUseException>(failure.InnerException);
        Assert.Contains($"http://127.0.0.1:{host.Port}", failure.Message, StringComparison.Ordinal);

        failure = await Assert.ThrowsAsync<IOException>(() => SharedPortHost.StartAsync(options => options.ListenSharedLocalhost(host.Port)));
        Assert.IsType<AddressInUseException>(failure.InnerException);
    }

    [Fact]
    public async Task Https_beside_it_is_a_plain_kestrel_end_point_with_alpn()
    {
        using var certificate = CreateCertificate();
        await using var host = await SharedPortHost.StartAsync(options =>
        {
            options.ListenShared(IPAddress.Loopback, 0);
            options.Listen(IPAddress.Loopback, 0, listen => listen.UseHttps(certificate));
        });
        using var client = new HttpClient(new SocketsHttpHandler
        {
            SslOptions = { RemoteCertificateValidationCallback = (_, served, _, _) => served?.GetCertHashString() == certificate.GetCertHashString() },
        });
        var https = host.Addresses.Single(address => address.StartsWith("https", StringComparison.Ordinal));
        foreach (var version in new[] { HttpVersion.Version11, HttpVersion.Version20 })
        {
            using var request = new HttpRequestMessage(HttpMethod.Get, https) { Version = version, VersionPolicy = HttpVersionPolicy.RequestVersionExact };
            using var response = await client.SendAsync(request).WaitAsync(SharedPortHost.Bound);
            Assert.Equal(version, response.Version);
        }

        Assert.Equal("HTTP/2", await host.GetAsync(client, HttpVersion.Version20));
    }

    [Fact]
    public void Forgetting_the_registration_is_said_plainly()
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.WebHost.ConfigureKestrel(options => options.ListenShared(IPAddress.Loopback, 0));

        var failure = Assert.Throws<InvalidOperationException>(() => builder.Build());
        Assert.Contains("AddSharedListener", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Limits_that_make_no_sense_stop_the_start()
    {
        await Assert.ThrowsAsync<OptionsValidationException>(() => SharedPortHost.StartAsync(limits: limits => limits.SilenceTimeout = TimeSpan.Zero));
        await Assert.ThrowsAsync<OptionsValidationException>(() => SharedPortHost.StartAsync(limits: limits => limits.MaxSilentConnections = 0));
        await Assert.ThrowsAsync<OptionsValidationException>(() => SharedPortHost.StartAsync(limits: limits => limits.MaxConnections = 0));
    }

    private sealed class Printed : ILoggerProvider, ILogger
    {
        public ConcurrentQueue<string> Lines { get; } = new();

        public ILogger CreateLogger(string categoryName) => this;

        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => true;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter) =>
            Lines.Enqueue(formatter(state, exception));

        public void Dispose()
        {
        }
    }

    private static X509Certificate2 CreateCertificate()
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("CN=localhost", key, HashAlgorithmName.SHA256);
        var now = TimeProvider.System.GetUtcNow();
        return request.CreateSelfSigned(now.AddMinutes(-5), now.AddDays(1));
    }

    private static bool HasIPv6Loopback()
    {
        try
        {
            using var socket = new Socket(AddressFamily.InterNetworkV6, SocketType.Stream, ProtocolType.Tcp);
            socket.Bind(new IPEndPoint(IPAddress.IPv6Loopback, 0));
            return true;
        }
        catch (SocketException)
        {
            return false;
        }
    }
}
