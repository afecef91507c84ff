using System.Net;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Vibe.Rpc.Tests.Listener;
using Vibe.RpcTest.V1;

namespace Vibe.Rpc.Tests.Rest;

public sealed class RestStreamTests
{
    private static readonly TimeSpan Bound = TimeSpan.FromSeconds(60);

    [Fact]
    public async Task Messages_are_lines_of_JSON()
    {
        await using var host = await RestHost.StartAsync();
        using var response = await host.Client.GetAsync("/test/v1/expand?count=3");

        Assert.Equal("application/x-ndjson", response.Content.Headers.ContentType?.ToString());
        Assert.True(response.Headers.CacheControl?.NoStore);
        Assert.Equal("no", Assert.Single(response.Headers.GetValues("X-Accel-Buffering")));
        Assert.Equal("{}\n{\"index\":1}\n{\"index\":2}\n", Compact(await response.Content.ReadAsStringAsync()));
    }

    [Fact]
    public async Task An_empty_stream_has_no_lines()
    {
        await using var host = await RestHost.StartAsync();
        using var response = await host.Client.GetAsync("/test/v1/expand");

        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        Assert.Equal("application/x-ndjson", response.Content.Headers.ContentType?.ToString());
        Assert.Empty(await response.Content.ReadAsStringAsync());
    }

    [Fact]
    public async Task An_error_after_messages_is_the_last_line()
    {
        await using var host = await RestHost.StartAsync();
        using var response = await host.Client.GetAsync("/test/v1/expand?count=1&fail.code=7&fail.message=no&fail.reason=R");
        var lines = (await response.Content.ReadAsStringAsync()).TrimEnd('\n').Split('\n');

        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        Assert.Equal(2, lines.Length);
        var error = JsonNode.Parse(lines[1])!["error"]!;
        Assert.Equal((403, "PERMISSION_DENIED", "no"), ((int)error["code"]!, (string?)error["status"], (string?)error["message"]));
        Assert.Equal("R", (string?)error["details"]![0]!["reason"]);
    }

    [Theory]
    [InlineData("application/x-ndjson")]
    [InlineData("text/event-stream")]
    public async Task An_error_before_any_message_is_an_ordinary_one(string accept)
    {
        await using var host = await RestHost.StartAsync();
        using var response = await GetAsync(host, "/test/v1/expand?fail.code=16&fail.message=who", accept);

        Assert.Equal(HttpStatusCode.Unauthorized, response.StatusCode);
        Assert.Equal("application/json", response.Content.Headers.ContentType?.ToString());
        Assert.Equal("UNAUTHENTICATED", (string?)JsonNode.Parse(await response.Content.ReadAsStringAsync())!["error"]!["status"]);
    }

    [Fact]
    public async Task A_first_message_above_the_limit_is_an_ordinary_error()
    {
        await using var host = await RestHost.StartAsync(options => options.MaxSendMessageSize = 100);
        using var response = await host.Client.GetAsync("/test/v1/expand?count=1&padding_bytes=1000");

        Assert.Equal(HttpStatusCode.TooManyRequests, response.StatusCode);
        Assert.Contains("RESPONSE_TOO_LARGE", await response.Content.ReadAsStringAsync(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("text/event-stream", "text/event-stream")]
    [InlineData("text/event-stream, application/x-ndjson;q=0.5", "text/event-stream")]
    [InlineData("text/event-stream;q=0.5, application/x-ndjson", "application/x-ndjson")]
    [InlineData("text/event-stream;q=0", "application/x-ndjson")]
    [InlineData("TEXT/EVENT-STREAM", "text/event-stream")]
    [InlineData("*/*", "application/x-ndjson")]
    [InlineData("application/json", "application/x-ndjson")]
    [InlineData("}{", "application/x-ndjson")]
    public async Task The_client_chooses_between_lines_and_events(string accept, string expected)
    {
        await using var host = await RestHost.StartAsync();
        using var response = await GetAsync(host, "/test/v1/expand?count=1", accept);

        Assert.Equal(expected, response.Content.Headers.ContentType?.ToString());
    }

    [Fact]
    public async Task Messages_are_events_with_ids_and_an_error_is_an_event_of_its_own()
    {
        await using var host = await RestHost.StartAsync(rest: rest => rest.EventId = message => message switch
        {
            ExpandResponse { Index: 1 } => "cursor-1",
            ExpandResponse { Index: 2 } => "broken\ndata: forged",
            _ => null,
        });
        using var response = await GetAsync(host, "/test/v1/expand?count=3&fail.code=5&fail.message=gone", "text/event-stream");

        Assert.Equal(
            "data: {}\n\n"
            + "id: cursor-1\ndata: {\"index\":1}\n\n"
            + "data: {\"index\":2}\n\n"
            + "event: error\ndata: {\"error\":{\"code\":404,\"status\":\"NOT_FOUND\",\"message\":\"gone\"}}\n\n",
            Compact(await response.Content.ReadAsStringAsync()));
    }

    [Fact]
    public async Task A_silent_event_stream_sends_heartbeats_and_notices_that_the_client_left()
    {
        var clock = new ManualClock();
        await using var host = await RestHost.StartAsync(clock: clock);
        using var request = new HttpRequestMessage(HttpMethod.Get, "/test/v1/expand?count=2&delay=60s");
        request.Headers.Add("Accept", "text/event-stream");
        var sending = host.Client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead);
        await clock.TimerStartedAsync();
        clock.Advance(TimeSpan.FromSeconds(60));
        var response = await sending;
        using (var reader = new StreamReader(await response.Content.ReadAsStreamAsync()))
        {
            Assert.Equal("data: {}", Compact(await ReadLineAsync(reader)));
            Assert.Equal("", await ReadLineAsync(reader));
            clock.Advance(TimeSpan.FromSeconds(15));
            Assert.Equal(": ping", await ReadLineAsync(reader));
            Assert.Equal("", await ReadLineAsync(reader));
        }

        response.Dispose();
        await host.Events.Cancelled.Task.WaitAsync(Bound);
    }

    [Fact]
    public async Task Over_HTTP2_the_trailers_come_after_the_messages_and_the_last_event_id_reaches_the_handler()
    {
        await using var host = await RestHost.StartAsync(protocols: HttpProtocols.Http2);
        using var request = new HttpRequestMessage(HttpMethod.Get, "/test/v1/expand?count=1")
        {
            Version = HttpVersion.Version20,
            VersionPolicy = HttpVersionPolicy.RequestVersionExact,
        };
        request.Headers.Add("Accept", "text/event-stream");
        request.Headers.Add("Last-Event-ID", "cursor-7");
        using var response = await host.Client.SendAsync(request);

        Assert.Equal("cursor-7", Assert.Single(response.TrailingHeaders.GetValues("x-last-event")));
    }

    [Fact]
    public async Task A_deadline_that_passes_in_a_stream_is_its_last_line()
    {
        await using var host = await RestHost.StartAsync();
        using var request = new HttpRequestMessage(HttpMethod.Get, "/test/v1/expand?count=1000000&delay=0.001s");
        request.Headers.Add("X-Server-Timeout", "0.2");
        using var response = await host.Client.SendAsync(request);

        var last = (await response.Content.ReadAsStringAsync()).TrimEnd('\n').Split('\n')[^1];
        Assert.Equal("DEADLINE_EXCEEDED", (string?)JsonNode.Parse(last)!["error"]!["status"]);
    }

    private static async Task<HttpResponseMessage> GetAsync(RestHost host, string path, string accept)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, path);
        request.Headers.TryAddWithoutValidation("Accept", accept);
        return await host.Client.SendAsync(request);
    }

    private static Task<string?> ReadLineAsync(StreamReader reader) => reader.ReadLineAsync().WaitAsync(Bound);

    // White space inside a text is the codec's choice.
    private static string Compact(string? text) => text!.Replace("{ ", "{").Replace(" }", "}").Replace("\": ", "\":").Replace("\", ", "\",");
}
