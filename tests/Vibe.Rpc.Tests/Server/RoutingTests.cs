using System.Net;
using System.Net.Http.Headers;
using Google.Protobuf;
using Vibe.RpcTest.V1;

namespace Vibe.Rpc.Tests.Server;

/// <summary>What is not a call of a known protocol gets a plain HTTP answer.</summary>
public sealed class RoutingTests : IAsyncLifetime
{
    private const string Service = "/vibe.rpctest.v1.RpcTestService/";

    private RpcTestServer _server = null!;

    public async Task InitializeAsync() => _server = await RpcTestServer.StartAsync();

    public async Task DisposeAsync() => await _server.DisposeAsync();

    [Theory]
    [InlineData("POST", "Echo", "text/plain", HttpStatusCode.UnsupportedMediaType)]
    [InlineData("POST", "Echo", "application/connect+proto", HttpStatusCode.UnsupportedMediaType)]
    [InlineData("POST", "Expand", "application/proto", HttpStatusCode.UnsupportedMediaType)]
    [InlineData("POST", "Echo", "application/grpc", HttpStatusCode.UpgradeRequired)]
    [InlineData("POST", "Nothing", "application/grpc", HttpStatusCode.NotFound)]
    [InlineData("POST", "echo", "application/proto", HttpStatusCode.NotFound)]
    [InlineData("POST", "Echo/", "application/proto", HttpStatusCode.NotFound)]
    [InlineData("POST", "Echo", "Application/Proto; charset=utf-8", HttpStatusCode.OK)]
    [InlineData("GET", "Fail?encoding=json&message={}", null, HttpStatusCode.MethodNotAllowed)]
    [InlineData("GET", "Expand?encoding=json&message={}", null, HttpStatusCode.MethodNotAllowed)]
    [InlineData("GET", "Echo", null, HttpStatusCode.UnsupportedMediaType)]
    [InlineData("GET", "Echo?encoding=json", null, HttpStatusCode.BadRequest)]
    [InlineData("GET", "Echo?encoding=json&message={}&connect=v2", null, HttpStatusCode.BadRequest)]
    [InlineData("GET", "Echo?encoding=proto&message=!!&base64=1", null, HttpStatusCode.BadRequest)]
    [InlineData("GET", "Echo?encoding=proto&message=&base64=1", null, HttpStatusCode.OK)]
    [InlineData("GET", "Echo?encoding=json&message={}&compression=br", null, HttpStatusCode.NotImplemented)]
    public async Task Each_mistake_has_its_http_status(string verb, string path, string? contentType, HttpStatusCode expected)
    {
        using var request = new HttpRequestMessage(new(verb), new Uri(_server.Http1, Service + path));
        if (contentType is not null)
        {
            request.Content = new ByteArrayContent(new EchoRequest().ToByteArray());
            request.Content.Headers.ContentType = MediaTypeHeaderValue.Parse(contentType);
        }

        using var response = await _server.Client.SendAsync(request);
        Assert.Equal(expected, response.StatusCode);
        Assert.Equal(expected == HttpStatusCode.UnsupportedMediaType, response.Headers.Contains("Accept-Post"));
    }

    [Theory]
    [InlineData("{\"name\": 5}", "name")]
    [InlineData("{\"message\": {\"int32Value\": \"x\"}}", "message.int32")]
    [InlineData("{", "")]
    public async Task Bad_json_names_the_field(string json, string field)
    {
        using var content = new StringContent(json, new MediaTypeHeaderValue("application/json"));
        using var response = await _server.Client.PostAsync(new Uri(_server.Http1, Service + "Echo"), content);
        Assert.Equal(HttpStatusCode.BadRequest, response.StatusCode);
        var text = await response.Content.ReadAsStringAsync();
        Assert.Contains("\"code\":\"invalid_argument\"", text, StringComparison.Ordinal);
        Assert.Contains("google.rpc.BadRequest", text, StringComparison.Ordinal);
        Assert.Contains(field, text, StringComparison.Ordinal);
    }
}
