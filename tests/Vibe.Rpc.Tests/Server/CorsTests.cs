using System.Net;
using Grpc.Core;
using Vibe.Rpc.Hosting;
using Vibe.RpcTest.V1;

namespace Vibe.Rpc.Tests.Server;

/// <summary>What a browser asks before and reads after a call from another origin.</summary>
public sealed class CorsTests : IAsyncLifetime
{
    private const string Origin = "https://app.example";

    private RpcTestServer _server = null!;

    public async Task InitializeAsync() => _server = await RpcTestServer.StartAsync(
        services: services => services.AddGrpcCors(Origin),
        map: app =>
        {
            app.UseCors();
            app.MapGrpcService<RpcTestServiceImpl>().RequireCors(GrpcCorsExtensions.PolicyName);
        });

    public async Task DisposeAsync() => await _server.DisposeAsync();

    [Fact]
    public async Task A_preflight_allows_the_clients_headers()
    {
        using var response = await PreflightAsync(Origin);
        Assert.Equal(HttpStatusCode.NoContent, response.StatusCode);
        Assert.Equal(Origin, Assert.Single(response.Headers.GetValues("Access-Control-Allow-Origin")));
        Assert.Contains("x-my-metadata-bin", Assert.Single(response.Headers.GetValues("Access-Control-Allow-Headers")), StringComparison.Ordinal);
        Assert.Equal("7200", Assert.Single(response.Headers.GetValues("Access-Control-Max-Age")));
    }

    [Fact]
    public async Task Another_origin_is_not_allowed()
    {
        using var response = await PreflightAsync("https://evil.example");
        Assert.False(response.Headers.Contains("Access-Control-Allow-Origin"));
    }

    [Theory]
    [InlineData(Family.GrpcWeb)]
    [InlineData(Family.Connect)]
    public async Task The_answer_shows_status_headers_to_the_script(Family family)
    {
        var result = await _server.CallAsync<FailResponse>(
            new(family, HttpVersion: 1), "Fail", false, [new FailRequest { Code = 5 }], headers => headers.Add("Origin", Origin));
        Assert.Equal(StatusCode.NotFound, result.Code);
        var exposed = string.Join(',', result.Headers["access-control-expose-headers"]);
        Assert.Contains("grpc-status-details-bin", exposed, StringComparison.Ordinal);
        Assert.Contains('*', exposed);
    }

    private Task<HttpResponseMessage> PreflightAsync(string origin)
    {
        var request = new HttpRequestMessage(HttpMethod.Options, new Uri(_server.Http1, "/vibe.rpctest.v1.RpcTestService/Echo"));
        request.Headers.Add("Origin", origin);
        request.Headers.Add("Access-Control-Request-Method", "POST");
        request.Headers.Add("Access-Control-Request-Headers", "authorization,content-type,x-grpc-web,x-my-metadata-bin");
        return _server.Client.SendAsync(request);
    }
}
