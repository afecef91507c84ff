using System.Net;
using Microsoft.AspNetCore.Http.Features;
using Vibe.Rpc.Calls;
using Vibe.Rpc.Rest;

namespace Vibe.Rpc.Tests.Rest;

public sealed class RestRoutingTests
{
    [Fact]
    public async Task Middlewares_see_the_endpoint_with_its_method_its_metadata_and_its_variables()
    {
        var seen = "";
        await using var host = await RestHost.StartAsync(map: app =>
        {
            app.UseRouting();
            app.Use(async (http, next) =>
            {
                var metadata = http.GetEndpoint()!.Metadata;
                seen = $"{metadata.GetMetadata<RpcMethod>()} {metadata.GetMetadata<string>()} {http.Request.RouteValues["message.text"]}";
                await next(http);
            });
            app.MapGrpcService<RestTestService>().WithMetadata("marked");
        });
        using var response = await host.Client.GetAsync("/test/v1/echo/a%2Fb");

        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        Assert.Equal("/vibe.rpctest.v1.RpcTestService/Echo marked a/b", seen);
    }

    [Fact]
    public async Task A_group_gives_its_prefix_and_its_conventions()
    {
        var seen = "";
        await using var host = await RestHost.StartAsync(map: app =>
        {
            app.UseRouting();
            app.Use(async (http, next) =>
            {
                seen = http.GetEndpoint()?.Metadata.GetMetadata<string>() ?? "";
                await next(http);
            });
            app.MapGroup("/api").WithMetadata("grouped").MapGrpcService<RestTestService>();
        });
        using var inside = await host.Client.GetAsync("/api/test/v1/echo/x");
        Assert.Equal("grouped", seen);
        using var outside = await host.Client.GetAsync("/test/v1/echo/x");

        Assert.Equal(HttpStatusCode.OK, inside.StatusCode);
        Assert.Equal(HttpStatusCode.NotFound, outside.StatusCode);
    }

    [Fact]
    public async Task Other_endpoints_keep_their_paths()
    {
        await using var host = await RestHost.StartAsync(map: app =>
        {
            app.MapGrpcService<RestTestService>();
            app.MapGet("/test/v1/echo/special", () => "mine");
            app.MapFallback(() => "fallback");
        });

        Assert.Equal("mine", await host.Client.GetStringAsync("/test/v1/echo/special"));
        Assert.Equal("fallback", await host.Client.GetStringAsync("/test/v1/nothing"));
        Assert.Contains("other", await host.Client.GetStringAsync("/test/v1/echo/other"), StringComparison.Ordinal);
        using var notAllowed = await host.Client.DeleteAsync("/test/v1/echo");
        Assert.Equal(HttpStatusCode.MethodNotAllowed, notAllowed.StatusCode);
    }

    [Fact]
    public async Task A_path_base_is_not_part_of_the_path()
    {
        await using var host = await RestHost.StartAsync(map: app =>
        {
            app.UsePathBase("/base");
            app.UseRouting();
            app.MapGrpcService<RestTestService>();
        });

        Assert.Contains("a/b", await host.Client.GetStringAsync("/base/test/v1/echo/a%2Fb"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_CORS_preflight_is_answered_by_the_policy_of_the_endpoint()
    {
        await using var host = await RestHost.StartAsync(map: app =>
        {
            app.UseRouting();
            app.UseCors();
            app.MapGrpcService<RestTestService>().RequireCors(policy => policy.WithOrigins("https://app.test").AllowAnyMethod());
        });
        using var allowed = await PreflightAsync(host, "https://app.test", "PATCH");
        using var refused = await PreflightAsync(host, "https://evil.test", "PATCH");

        Assert.Equal("https://app.test", Assert.Single(allowed.Headers.GetValues("Access-Control-Allow-Origin")));
        Assert.False(refused.Headers.Contains("Access-Control-Allow-Origin"));
    }

    [Fact]
    public async Task Two_methods_on_one_path_stop_the_start()
    {
        var exception = await Assert.ThrowsAsync<InvalidOperationException>(() => RestHost.StartAsync(map: app =>
        {
            app.MapGrpcService<RestTestService>();
            app.MapGrpcService<RestTestService>();
        }));

        Assert.Equal(
            "google.api.http of vibe.rpctest.v1.RpcTestService.Echo: POST /test/v1/echo is POST /test/v1/echo of vibe.rpctest.v1.RpcTestService.Echo already.",
            exception.Message);
    }

    [Theory]
    [InlineData("/v1/a%2Fb?x=1", "/v1/a%2Fb", "", "/v1/a%2Fb")]
    [InlineData("http://host:80/v1/a%20b?x=1", "/v1/a b", "", "/v1/a%20b")]
    [InlineData("http://host", "/", "", "/")]
    [InlineData("/base/v1/%C3%A9", "/v1/é", "/base", "/v1/%C3%A9")]
    [InlineData("/v1/a/../b", "/v1/b", "", "/v1/b")]
    [InlineData("/v1/%FF", "/v1/%FF", "", "/v1/%FF")]
    [InlineData("/old/path", "/new/path with space", "", "/new/path%20with%20space")]
    [InlineData("", "/v1/x", "", "/v1/x")]
    public void The_path_is_taken_as_it_was_sent_unless_it_was_rewritten(string target, string path, string pathBase, string expected)
    {
        var http = new DefaultHttpContext();
        http.Features.GetRequiredFeature<IHttpRequestFeature>().RawTarget = target;
        http.Request.Path = path;
        http.Request.PathBase = pathBase;

        Assert.Equal(expected, RequestPath.Of(http.Request).ToString());
    }

    private static async Task<HttpResponseMessage> PreflightAsync(RestHost host, string origin, string method)
    {
        using var request = new HttpRequestMessage(HttpMethod.Options, "/test/v1/echo/x");
        request.Headers.Add("Origin", origin);
        request.Headers.Add("Access-Control-Request-Method", method);
        return await host.Client.SendAsync(request);
    }
}
