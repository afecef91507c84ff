using System.Net;
using Google.Rpc;
using Grpc.Core;
using Microsoft.Extensions.DependencyInjection;
using Vibe.Postgres.Sessions;
using Vibe.Postgres.Tests;
using Vibe.Rpc;
using Vibe.Rpc.Hosting;
using Vibe.Server.Auth;

namespace Vibe.Server.Tests.Api;

/// <summary>What happens when there is too much, too slow, or an end.</summary>
[Collection(PostgresCollection.Name)]
public sealed class LimitsTests(EmbeddedClusterFixture cluster)
{
    [Fact]
    public async Task Too_many_calls_are_told_when_to_come_back_and_others_are_not_held_up()
    {
        await using var server = await ApiServer.StartAsync(
            await cluster.CreateEmptyDatabaseAsync(), static builder => builder.Configuration["Vibe:Limits:UnitsPerSecond"] = "1");
        var (alice, bob) = (server.User(), server.User());
        const string Count = """{"collection":"notes","aggregations":[{"alias":"n","function":"FUNCTION_COUNT"}]}""";
        (await alice.PostAsync("/v1/documents:aggregate", Count)).Ok();
        var refused = await alice.PostAsync("/v1/documents:aggregate", Count);
        refused.Fails(HttpStatusCode.TooManyRequests, "RESOURCE_EXHAUSTED", "RATE_LIMITED");
        Assert.Contains("retry-after: 1", refused.Headers);

        var failures = await server.FailAsync(alice, ApiCall.Post("AggregateDocuments", Count, "/v1/documents:aggregate"));
        Assert.Single(failures.Values.Select(static failure => failure.ToString()).Distinct());
        Assert.All(failures.Values, static failure => Assert.Equal("1", failure.Info.Metadata["limit"]));
        Assert.All(failures.Values, static failure => Assert.Equal(1, failure.Status.GetDetail<RetryInfo>()!.RetryDelay.Seconds));
        (await bob.PostAsync("/v1/documents:aggregate", Count)).Ok();
        await ApiServer.EventuallyAsync(async () => (await alice.GetAsync($"/v1/documents/{Guid.NewGuid()}")).Status == HttpStatusCode.NotFound);
    }

    [Fact]
    public async Task A_query_that_takes_too_long_says_so()
    {
        var options = await cluster.CreateEmptyDatabaseAsync();
        var key = await PrepareAsync(options);
        await using var server = await ApiServer.StartAsync(new DatabaseOptions
        {
            ConnectionString = options.ConnectionString, StatementTimeout = TimeSpan.FromSeconds(1), LockTimeout = TimeSpan.FromMinutes(1),
            ConnectTimeout = TimeSpan.FromMinutes(1),
        }, masterKey: key);
        var alice = server.User();
        await using var held = await HeldDocuments.TakeAsync(options.ConnectionString);
        var failures = await server.FailAsync(alice, ApiCall.Get("ListDocuments", """{"collection":"notes"}""", "/v1/documents?collection=notes"));
        Assert.Single(failures.Values.Select(static failure => failure.ToString()).Distinct());
        Assert.Equal((StatusCode.ResourceExhausted, "QUERY_TOO_EXPENSIVE"), (failures["gRPC"].Code, failures["gRPC"].Info.Reason));
        await held.ReleaseAsync();
        (await alice.GetAsync("/v1/documents?collection=notes")).Ok();
    }

    [Fact]
    public async Task A_read_that_waits_too_long_for_a_change_of_the_schema_may_be_tried_again()
    {
        var options = await cluster.CreateEmptyDatabaseAsync();
        var key = await PrepareAsync(options);
        await using var server = await ApiServer.StartAsync(new DatabaseOptions
        {
            ConnectionString = options.ConnectionString, StatementTimeout = TimeSpan.FromMinutes(1), LockTimeout = TimeSpan.FromMilliseconds(200),
            ConnectTimeout = TimeSpan.FromMinutes(1),
        }, masterKey: key);
        var alice = server.User();
        await using var held = await HeldDocuments.TakeAsync(options.ConnectionString);
        var failures = await server.FailAsync(alice, ApiCall.Get("ListDocuments", """{"collection":"notes"}""", "/v1/documents?collection=notes"));
        Assert.All(failures.Values, static failure => Assert.Equal((StatusCode.Unavailable, "DATABASE_UNAVAILABLE"), (failure.Code, failure.Info.Reason)));
        await held.ReleaseAsync();
        (await alice.GetAsync("/v1/documents?collection=notes")).Ok();
    }

    [Theory]
    [InlineData("REST")]
    [InlineData("gRPC")]
    public async Task A_client_that_leaves_stops_its_statement(string protocol)
    {
        var options = await cluster.CreateEmptyDatabaseAsync();
        await using var server = await ApiServer.StartAsync(options);
        var alice = server.User();
        await using var held = await HeldDocuments.TakeAsync(options.ConnectionString);
        using var leave = new CancellationTokenSource();
        Task call = protocol == "REST"
            ? alice.SendAsync(HttpMethod.Get, "/v1/documents?collection=notes", body: null, leave.Token)
            : alice.Grpc.ListDocumentsAsync(new() { Collection = "notes" }, alice.Metadata, cancellationToken: leave.Token).ResponseAsync;
        await ApiServer.EventuallyAsync(async () => await held.WaitersAsync() == 1);
        await leave.CancelAsync();
        await Assert.ThrowsAnyAsync<Exception>(() => call);

        // The lock is still held: only a cancelled statement stops to wait for it.
        await ApiServer.EventuallyAsync(async () => await held.WaitersAsync() == 0);
        await held.ReleaseAsync();
        (await alice.GetAsync("/v1/documents?collection=notes")).Ok();
    }

    [Fact]
    public async Task A_server_told_to_stop_ends_what_runs_and_takes_nothing_new()
    {
        var options = await cluster.CreateEmptyDatabaseAsync();
        await using var server = await ApiServer.StartAsync(
            options, static builder => builder.Services.Configure<RpcServerLimits>(static limits => limits.DrainTimeout = ApiServer.Bound));
        var alice = server.User();
        var id = (string)(await alice.CreateAsync("""{"collection":"notes","data":{"n":1}}"""))["id"]!;
        await alice.Grpc.GetDocumentAsync(new() { Id = id }, alice.Metadata);
        await using var held = await HeldDocuments.TakeAsync(options.ConnectionString);
        var rest = alice.PatchAsync($"/v1/documents/{id}", """{"data":{"n":2}}""");
        var grpc = alice.Grpc.GetDocumentAsync(new() { Id = id }, alice.Metadata).ResponseAsync;
        await ApiServer.EventuallyAsync(async () => await held.WaitersAsync() == 2);

        // What SIGTERM does.
        server.App.Lifetime.StopApplication();
        var stopping = server.App.StopAsync();
        await ApiServer.EventuallyAsync(async () => await IsRefusedAsync(server));
        await ApiServer.EventuallyAsync(async () => await IsRefusedOnOpenConnectionAsync(alice));
        Assert.False(stopping.IsCompleted || rest.IsCompleted || grpc.IsCompleted);

        await held.ReleaseAsync();
        Assert.Equal("2", (string?)(await rest).Ok()["revision"]);
        Assert.Equal(id, (await grpc).Document.Id);
        await stopping.WaitAsync(ApiServer.Bound);
    }

    // What a server does when it first starts takes long on a busy machine: not what a limit is for.
    private static async Task<MasterKey> PrepareAsync(DatabaseOptions options)
    {
        var key = ApiServer.NewMasterKey();
        await using var server = await ApiServer.StartAsync(options, masterKey: key);
        return key;
    }

    private static async Task<bool> IsRefusedAsync(ApiServer server)
    {
        using var newcomer = server.NewHttpClient();
        try
        {
            using var response = await newcomer.GetAsync("/livez");
            return response.StatusCode == HttpStatusCode.ServiceUnavailable;
        }
        catch (HttpRequestException)
        {
            return true;
        }
    }

    private static async Task<bool> IsRefusedOnOpenConnectionAsync(ApiUser user)
    {
        using var bound = new CancellationTokenSource(ApiServer.Bound);
        try
        {
            await user.Grpc.ListFieldIndexesAsync(new(), user.Metadata, cancellationToken: bound.Token);
            return false;
        }
        catch (RpcException exception)
        {
            return exception.StatusCode == StatusCode.Unavailable;
        }
    }
}
