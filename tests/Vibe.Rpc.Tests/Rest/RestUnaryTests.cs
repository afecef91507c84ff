using System.IO.Compression;
using System.Net;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json.Nodes;

namespace Vibe.Rpc.Tests.Rest;

public sealed class RestUnaryTests : IAsyncLifetime
{
    private RestHost _host = null!;

    public async Task InitializeAsync() => _host = await RestHost.StartAsync(options =>
    {
        options.MaxReceiveMessageSize = 1000;
        options.MaxSendMessageSize = 20_000;
        options.ResponseCompressionAlgorithm = "gzip";
    });

    public Task DisposeAsync() => _host.DisposeAsync().AsTask();

    [Theory]
    [InlineData("POST", "/test/v1/echo", """{"message":{"text":"hello"},"words":["a"]}""", """{"message":{"text":"hello"},"words":["a"]}""")]
    [InlineData("POST", "/test/v1/echo", "", "{}")]
    [InlineData("GET", "/test/v1/echo/hello", null, """{"message":{"text":"hello"}}""")]
    [InlineData("GET", "/test/v1/echo/a%2Fb?words=x&words=y", null, """{"message":{"text":"a/b"},"words":["x","y"]}""")]
    [InlineData("GET", "/test/v1/shelves/1/books/2:read?message.text=x", null, """{"text":"x"}""")]
    [InlineData("GET", "/test/v1/shelves/1/books/2:read", null, "{}")]
    [InlineData("GET", "/test/v1/files/a/b%2Fc/d", null, """{"name":"a/b%2Fc/d"}""")]
    [InlineData("GET", "/test/v1/files", null, "{}")]
    [InlineData("PATCH", "/test/v1/echo/n?words=w", """{"text":"x","int64Value":"9"}""", """{"text":"x","int64Value":"9"}""")]
    [InlineData("POST", "/test/v1/fail", "{}", "{}")]
    [InlineData("GET", "/test/v1/wait?delay=0s", null, "{}")]
    public async Task Every_binding_answers(string method, string path, string? body, string expected)
    {
        using var response = await SendAsync(method, path, body);

        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        Assert.Equal("application/json", response.Content.Headers.ContentType?.ToString());
        await AssertJsonAsync(expected, response);
    }

    [Theory]
    [InlineData("GET", "/test/v1/nothing", 404, "NOT_FOUND", "NO_SUCH_PATH")]
    [InlineData("GET", "/test/v1/files/", 404, "NOT_FOUND", "NO_SUCH_PATH")]
    [InlineData("POST", "/test/v1/Echo", 404, "NOT_FOUND", "NO_SUCH_PATH")]
    [InlineData("GET", "/test/v1/shelves/1/books/2:write", 404, "NOT_FOUND", "NO_SUCH_VERB")]
    [InlineData("DELETE", "/test/v1/echo", 405, "UNIMPLEMENTED", "METHOD_NOT_ALLOWED")]
    [InlineData("GET", "/test/v1/echo/x?nothing=1", 400, "INVALID_ARGUMENT", "INVALID_PARAMETER")]
    [InlineData("GET", "/test/v1/echo/%ff", 400, "INVALID_ARGUMENT", "INVALID_PARAMETER")]
    public async Task A_request_that_fits_no_binding_gets_an_error_with_a_reason(
        string method, string path, int code, string status, string reason)
    {
        using var response = await SendAsync(method, path, null);

        Assert.Equal(code, (int)response.StatusCode);
        var error = JsonNode.Parse(await response.Content.ReadAsStringAsync())!["error"]!;
        Assert.Equal(code, (int)error["code"]!);
        Assert.Equal(status, (string?)error["status"]);
        Assert.Equal("type.googleapis.com/google.rpc.ErrorInfo", (string?)error["details"]![0]!["@type"]);
        Assert.Equal(reason, (string?)error["details"]![0]!["reason"]);
    }

    [Fact]
    public async Task A_path_outside_of_REST_is_left_to_others()
    {
        using var response = await SendAsync("GET", "/other", null);

        Assert.Equal(HttpStatusCode.NotFound, response.StatusCode);
        Assert.Empty(await response.Content.ReadAsByteArrayAsync());
    }

    [Fact]
    public async Task A_wrong_method_is_told_the_allowed_ones()
    {
        using var wrong = await SendAsync("PUT", "/test/v1/echo/x", null);
        using var options = await SendAsync("OPTIONS", "/test/v1/echo/x", null);

        Assert.Equal(["GET", "PATCH"], wrong.Content.Headers.Allow.Order());
        Assert.Equal(HttpStatusCode.NoContent, options.StatusCode);
        Assert.Equal(["GET", "PATCH"], options.Content.Headers.Allow.Order());
    }

    [Fact]
    public async Task HEAD_answers_as_GET_without_a_body()
    {
        using var get = await SendAsync("GET", "/test/v1/echo/hello", null);
        using var head = await SendAsync("HEAD", "/test/v1/echo/hello", null);
        using var stream = await SendAsync("HEAD", "/test/v1/expand", null);

        Assert.Equal(HttpStatusCode.OK, head.StatusCode);
        Assert.Equal((await get.Content.ReadAsByteArrayAsync()).Length, head.Content.Headers.ContentLength);
        Assert.Empty(await head.Content.ReadAsByteArrayAsync());
        Assert.Equal(HttpStatusCode.MethodNotAllowed, stream.StatusCode);
    }

    [Fact]
    public async Task A_failure_carries_code_message_details_and_when_to_retry()
    {
        using var response = await SendAsync("POST", "/test/v1/fail", """{"code":14,"message":"so \"sorry\" — é","reason":"BUSY"}""");

        Assert.Equal(HttpStatusCode.ServiceUnavailable, response.StatusCode);
        Assert.Equal(TimeSpan.FromSeconds(3), response.Headers.RetryAfter?.Delta);
        await AssertJsonAsync(
            """
            {"error":{"code":503,"status":"UNAVAILABLE","message":"so \"sorry\" — é","details":[
              {"@type":"type.googleapis.com/google.rpc.ErrorInfo","reason":"BUSY","domain":"test.vibe.dev","metadata":{"key":"value"}},
              {"@type":"type.googleapis.com/google.rpc.RetryInfo","retryDelay":"2.000000001s"}]}}
            """,
            response);
    }

    [Theory]
    [InlineData(1, 499, "CANCELLED")]
    [InlineData(2, 500, "UNKNOWN")]
    [InlineData(3, 400, "INVALID_ARGUMENT")]
    [InlineData(4, 504, "DEADLINE_EXCEEDED")]
    [InlineData(5, 404, "NOT_FOUND")]
    [InlineData(6, 409, "ALREADY_EXISTS")]
    [InlineData(7, 403, "PERMISSION_DENIED")]
    [InlineData(8, 429, "RESOURCE_EXHAUSTED")]
    [InlineData(9, 400, "FAILED_PRECONDITION")]
    [InlineData(10, 409, "ABORTED")]
    [InlineData(11, 400, "OUT_OF_RANGE")]
    [InlineData(12, 501, "UNIMPLEMENTED")]
    [InlineData(13, 500, "INTERNAL")]
    [InlineData(14, 503, "UNAVAILABLE")]
    [InlineData(15, 500, "DATA_LOSS")]
    [InlineData(16, 401, "UNAUTHENTICATED")]
    public async Task Each_canonical_code_has_its_HTTP_status(int code, int http, string name)
    {
        using var response = await SendAsync("POST", "/test/v1/fail", $$"""{"code":{{code}},"message":"m"}""");

        Assert.Equal(http, (int)response.StatusCode);
        await AssertJsonAsync($$$"""{"error":{"code":{{{http}}},"status":"{{{name}}}","message":"m"}}""", response);
        Assert.Equal(code == 16, response.Headers.WwwAuthenticate.Count > 0);
    }

    [Fact]
    public async Task An_unexpected_exception_does_not_tell_its_text()
    {
        using var response = await SendAsync("POST", "/test/v1/fail", """{"code":-1,"message":"secret"}""");

        Assert.Equal(HttpStatusCode.InternalServerError, response.StatusCode);
        Assert.DoesNotContain("secret", await response.Content.ReadAsStringAsync(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Request_headers_are_metadata_and_response_metadata_are_headers()
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, "/test/v1/wait");
        request.Headers.Authorization = new("Bearer", "t");
        using var response = await _host.Client.SendAsync(request);

        Assert.Equal("yes", Assert.Single(response.Headers.GetValues("x-early")));
        Assert.Equal("Bearer t", Assert.Single(response.Headers.GetValues("x-seen")));
        Assert.Equal("AQI", Assert.Single(response.Headers.GetValues("x-bytes-bin")).TrimEnd('='));
    }

    [Fact]
    public async Task A_client_can_say_how_long_it_waits()
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, "/test/v1/wait?delay=30s");
        request.Headers.Add("X-Server-Timeout", "0.05");
        using var response = await _host.Client.SendAsync(request);

        Assert.Equal(HttpStatusCode.GatewayTimeout, response.StatusCode);
    }

    [Theory]
    [InlineData("text/plain")]
    [InlineData("application/x-www-form-urlencoded")]
    [InlineData("application/json; charset=utf-16")]
    [InlineData("application/jsonx")]
    [InlineData("json")]
    [InlineData(null)]
    public async Task Another_content_type_is_refused(string? type)
    {
        using var content = Content("{}", type);
        using var response = await _host.Client.PostAsync("/test/v1/echo", content);

        Assert.Equal(HttpStatusCode.UnsupportedMediaType, response.StatusCode);
        Assert.Contains("UNSUPPORTED_MEDIA_TYPE", await response.Content.ReadAsStringAsync(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("application/json; charset=utf-8")]
    [InlineData("application/json;charset=\"UTF-8\"")]
    [InlineData("Application/JSON")]
    public async Task JSON_may_be_spelled_in_every_legal_way(string type)
    {
        using var content = Content("""{"name":"é"}""", type);
        using var response = await _host.Client.PostAsync("/test/v1/echo", content);

        await AssertJsonAsync("""{"name":"é"}""", response);
    }

    [Fact]
    public async Task A_gzip_body_is_inflated()
    {
        using var content = Gzip("""{"name":"zipped"}""");
        using var response = await _host.Client.PostAsync("/test/v1/echo", content);

        await AssertJsonAsync("""{"name":"zipped"}""", response);
    }

    [Fact]
    public async Task A_large_answer_is_compressed_for_a_client_that_accepts_it()
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, "/test/v1/echo/x?padding_bytes=4000");
        request.Headers.AcceptEncoding.Add(new("gzip"));
        using var response = await _host.Client.SendAsync(request);
        using var plain = await SendAsync("GET", "/test/v1/echo/x?padding_bytes=4000", null);

        Assert.Equal(["gzip"], response.Content.Headers.ContentEncoding);
        Assert.Equal(["Accept-Encoding"], response.Headers.Vary);
        Assert.Equal(["Accept-Encoding"], plain.Headers.Vary);
        Assert.Empty(plain.Content.Headers.ContentEncoding);
        await using var inflated = new GZipStream(await response.Content.ReadAsStreamAsync(), CompressionMode.Decompress);
        using var reader = new StreamReader(inflated);
        Assert.Equal(await plain.Content.ReadAsStringAsync(), await reader.ReadToEndAsync());
    }

    [Fact]
    public async Task An_answer_above_the_limit_is_an_error()
    {
        using var response = await SendAsync("GET", "/test/v1/echo/x?padding_bytes=20000", null);

        Assert.Equal(HttpStatusCode.TooManyRequests, response.StatusCode);
        Assert.Contains("RESPONSE_TOO_LARGE", await response.Content.ReadAsStringAsync(), StringComparison.Ordinal);
    }

    private static StringContent Content(string text, string? type)
    {
        var content = new StringContent(text);
        content.Headers.Remove("Content-Type");
        if (type is not null)
        {
            content.Headers.TryAddWithoutValidation("Content-Type", type);
        }

        return content;
    }

    private static ByteArrayContent Gzip(string text)
    {
        using var buffer = new MemoryStream();
        using (var gzip = new GZipStream(buffer, CompressionLevel.Fastest))
        {
            gzip.Write(Encoding.UTF8.GetBytes(text));
        }

        var content = new ByteArrayContent(buffer.ToArray());
        content.Headers.ContentType = new MediaTypeHeaderValue("application/json");
        content.Headers.ContentEncoding.Add("gzip");
        return content;
    }

    private async Task<HttpResponseMessage> SendAsync(string method, string path, string? body)
    {
        using var request = new HttpRequestMessage(new(method), path);
        if (body is not null)
        {
            request.Content = new StringContent(body, Encoding.UTF8, "application/json");
        }

        return await _host.Client.SendAsync(request);
    }

    private static async Task AssertJsonAsync(string expected, HttpResponseMessage response) =>
        Assert.Equal(JsonNode.Parse(expected)!.ToJsonString(), JsonNode.Parse(await response.Content.ReadAsStringAsync())!.ToJsonString());
}
