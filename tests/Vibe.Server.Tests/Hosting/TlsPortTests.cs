using System.Net;
using System.Net.Http.Headers;
using System.Net.Security;
using System.Security.Authentication;
using System.Security.Cryptography.X509Certificates;
using Grpc.Health.V1;
using Grpc.Net.Client;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Vibe.Rpc.Hosting;
using Vibe.Server.Hosting;

namespace Vibe.Server.Tests.Hosting;

/// <summary>The TLS port on real sockets, set up as <c>vibe serve</c> does it.</summary>
public sealed class TlsPortTests : IAsyncLifetime
{
    private readonly PemFiles _files = new();
    private readonly SteppedClock _clock = new();
    private WebApplication _app = null!;
    private Uri _address = null!;

    public async Task InitializeAsync()
    {
        _files.Write("first");
        var certificate = await TlsCertificate.OpenAsync(_files.Options, _clock, CancellationToken.None);
        var builder = WebApplication.CreateSlimBuilder();
        builder.WebHost.ConfigureKestrel(kestrel => kestrel.ConfigureRpcLimits().ListenTls(IPAddress.Loopback, port: 0, certificate));
        builder.Services.AddSingleton(TimeProvider.System);
        builder.Services.AddGrpcHealthChecks();
        builder.Services.AddGrpc();
        _app = builder.Build();
        _app.MapGrpcHealthChecksService();
        _app.MapGet("/protocol", (HttpContext http) => http.Request.Protocol);
        await _app.StartAsync();
        _address = new Uri(_app.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.Single());
    }

    public async Task DisposeAsync()
    {
        await _app.DisposeAsync();
        _files.Delete();
    }

    [Fact]
    public async Task Grpc_over_TLS_answers()
    {
        using var handler = Handler();
        using var channel = GrpcChannel.ForAddress(_address, new GrpcChannelOptions { HttpHandler = handler });

        var answer = await new Health.HealthClient(channel).CheckAsync(new HealthCheckRequest());

        Assert.Equal(HealthCheckResponse.Types.ServingStatus.Serving, answer.Status);
    }

    [Theory]
    [InlineData("1.1", "HTTP/1.1")]
    [InlineData("2.0", "HTTP/2")]
    public async Task The_client_chooses_the_protocol(string version, string protocol)
    {
        using var handler = Handler();
        using var client = new HttpClient(handler);
        using var request = new HttpRequestMessage(HttpMethod.Get, new Uri(_address, "/protocol"))
        {
            Version = Version.Parse(version), VersionPolicy = HttpVersionPolicy.RequestVersionExact,
        };
        using var response = await client.SendAsync(request);

        Assert.Equal(protocol, await response.Content.ReadAsStringAsync());
    }

    [Fact]
    public async Task The_limits_of_the_plaintext_port_hold()
    {
        using var handler = Handler();
        using var client = new HttpClient(handler);
        using var request = new HttpRequestMessage(HttpMethod.Get, new Uri(_address, "/protocol"));
        request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", new string('x', new RpcServerLimits().MaxRequestHeadersBytes));
        using var response = await client.SendAsync(request);

        Assert.Equal(HttpStatusCode.RequestHeaderFieldsTooLarge, response.StatusCode);
    }

    [Theory]
    [InlineData(SslProtocols.Tls12)]
    [InlineData(SslProtocols.Tls13)]
    public async Task TLS_1_2_and_later_is_spoken(SslProtocols version) => Assert.Equal("first", await ShownNameAsync(version));

    [Fact]
    public async Task The_whole_chain_is_sent()
    {
        _files.WriteIssued("leaf", issuer: "issuer");
        _clock.Step(TlsCertificate.FreshFor);

        var (name, sent) = await HandshakeAsync(SslProtocols.None);

        Assert.Equal("leaf", name);
        Assert.Contains("CN=issuer", sent);
    }

    [Fact]
    public async Task A_renewed_certificate_is_shown_without_a_restart()
    {
        Assert.Equal("first", await ShownNameAsync());
        _files.Write("second");
        _clock.Step(TlsCertificate.FreshFor);

        Assert.Equal("second", await ShownNameAsync());
    }

    [Fact]
    public async Task Half_a_renewal_leaves_the_certificate_and_the_whole_one_counts()
    {
        var key = File.ReadAllText(_files.Options.KeyFile);
        _files.Write("second");
        var renewedKey = File.ReadAllText(_files.Options.KeyFile);
        File.WriteAllText(_files.Options.KeyFile, key);
        _clock.Step(TlsCertificate.FreshFor);
        Assert.Equal("first", await ShownNameAsync());

        File.WriteAllText(_files.Options.KeyFile, renewedKey);
        _clock.Step(TlsCertificate.FreshFor);
        Assert.Equal("second", await ShownNameAsync());
    }

    [Fact]
    public async Task Files_that_vanish_leave_the_certificate()
    {
        File.Delete(_files.Options.CertificateFile);
        _clock.Step(TlsCertificate.FreshFor);

        Assert.Equal("first", await ShownNameAsync());
    }

    private async Task<string> ShownNameAsync(SslProtocols version = SslProtocols.None) => (await HandshakeAsync(version)).Name;

    private async Task<(string Name, string[] Chain)> HandshakeAsync(SslProtocols version)
    {
        using var client = new System.Net.Sockets.TcpClient();
        await client.ConnectAsync(IPAddress.Loopback, _address.Port);
        string name = "";
        string[] sent = [];
        await using var tls = new SslStream(client.GetStream(), leaveInnerStreamOpen: false, (_, certificate, chain, _) =>
        {
            name = ((X509Certificate2)certificate!).GetNameInfo(X509NameType.SimpleName, forIssuer: false);
            sent = [.. chain!.ChainPolicy.ExtraStore.Select(extra => extra.Subject)];
            return true;
        });
        await tls.AuthenticateAsClientAsync(new SslClientAuthenticationOptions { TargetHost = "localhost", EnabledSslProtocols = version });
        return (name, sent);
    }

    // The certificate is the test's own, so it is accepted for what it is; who made it is not the question here.
    private static SocketsHttpHandler Handler() => new()
    {
        SslOptions = new SslClientAuthenticationOptions { RemoteCertificateValidationCallback = (_, certificate, _, _) => certificate!.Subject == "CN=first" },
    };
}
