using Google.Protobuf;
using Vibe.RpcTest.V1;

namespace Vibe.Rpc.Tests.Server;

/// <summary>A shared message is encoded when it is first sent; its later calls get the same bytes, and that is how these tests see it.</summary>
public sealed class SharedMessageTests : IAsyncLifetime
{
    private readonly Probe _probe = new();
    private RpcTestServer _server = null!;

    public static TheoryData<WireProtocol> Protocols => [.. WireProtocol.All];

    public async Task InitializeAsync() => _server = await RpcTestServer.StartAsync(
        options =>
        {
            options.ResponseCompressionAlgorithm = "gzip";
            options.ResponseCompressionMinimumBytes = 16;
        },
        services => services.AddSingleton(_probe),
        app => app.MapGrpcService<Probe>());

    public async Task DisposeAsync() => await _server.DisposeAsync();

    [Theory]
    [MemberData(nameof(Protocols))]
    public async Task It_is_encoded_once_for_all_its_calls(WireProtocol protocol)
    {
        var message = Answer(new SharedBytes());
        var first = await CallAsync(protocol);
        message.Index = 8;
        var second = await CallAsync(protocol);

        Assert.Equal((7, 100), (first.Index, first.Padding.Length));
        Assert.Equal(first, second);
    }

    [Theory]
    [MemberData(nameof(Protocols))]
    public async Task Another_message_is_encoded_for_each_call(WireProtocol protocol)
    {
        var message = Answer(null);
        await CallAsync(protocol);
        message.Index = 8;

        Assert.Equal(8, (await CallAsync(protocol)).Index);
    }

    [Theory]
    [InlineData("application/x-ndjson")]
    [InlineData("text/event-stream")]
    public async Task It_is_encoded_once_for_REST(string accept)
    {
        var message = Answer(new SharedBytes());
        var first = await GetAsync(accept);
        message.Index = 8;

        Assert.Contains("\"index\":7", first, StringComparison.Ordinal);
        Assert.Equal(first, await GetAsync(accept));
    }

    [Fact]
    public async Task Each_form_is_of_the_same_message()
    {
        Answer(new SharedBytes());
        var answers = new List<ExpandResponse>();
        foreach (var protocol in WireProtocol.All)
        {
            answers.Add(await CallAsync(protocol));
        }

        Assert.All(answers, answer => Assert.Equal(answers[0], answer));
    }

    private ExpandResponse Answer(SharedBytes? shared)
    {
        var message = new ExpandResponse { Index = 7, Padding = ByteString.CopyFrom(new byte[100]), Shared = shared };
        _probe.OnExpand = (_, responses, _) => responses.WriteAsync(message);
        return message;
    }

    private async Task<ExpandResponse> CallAsync(WireProtocol protocol) =>
        (await _server.CallAsync<ExpandResponse>(protocol, "Expand", streams: true, [new ExpandRequest()])).Single();

    private async Task<string> GetAsync(string accept)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, new Uri(_server.Http1, "/test/v1/expand"));
        request.Headers.Accept.ParseAdd(accept);
        using var response = await _server.Client.SendAsync(request);
        return await response.Content.ReadAsStringAsync();
    }
}
