using System.Diagnostics;
using System.Net;
using Microsoft.Extensions.Logging.Abstractions;
using Vibe.Postgres.Embedded;
using Vibe.Postgres.Sessions;

namespace Vibe.Server.Tests.Api;

/// <summary>The database dies under the server: on a cluster of its own, since all that it serves is cut off.</summary>
public sealed class DatabaseLossTests
{
    [Fact]
    public async Task Calls_under_way_fail_as_unavailable_and_the_server_goes_on_by_itself()
    {
        var directory = Path.Combine(Path.GetTempPath(), $"vibe-test-{Guid.NewGuid():n}");
        await using (var cluster = await EmbeddedCluster.StartAsync(
            new() { DataDirectory = directory, Durable = false }, NullLogger.Instance, TimeProvider.System, CancellationToken.None))
        {
            var options = new DatabaseOptions
            {
                ConnectionString = cluster.GetDatabaseOptions().ConnectionString,
                StatementTimeout = TimeSpan.FromMinutes(1),
                LockTimeout = TimeSpan.FromMinutes(1),
                ConnectTimeout = TimeSpan.FromMinutes(1),
                ConnectRetry = TimeSpan.Zero,
            };
            await using var server = await ApiServer.StartAsync(options);
            var alice = server.User();
            var id = (string)(await alice.CreateAsync("""{"collection":"notes","data":{"n":1}}"""))["id"]!;

            var held = await HeldDocuments.TakeAsync(options.ConnectionString);
            var write = alice.PatchAsync($"/v1/documents/{id}", """{"data":{"n":2}}""");
            await ApiServer.EventuallyAsync(async () => await held.WaitersAsync() == 1);
            using (var postmaster = Process.GetProcessById(cluster.ProcessId))
            {
                postmaster.Kill();
            }

            var lost = await write;
            lost.Fails(HttpStatusCode.ServiceUnavailable, "UNAVAILABLE", "DATABASE_UNAVAILABLE");
            Assert.Contains("retry-after: 1", lost.Headers);

            var answer = await alice.GetAsync($"/v1/documents/{id}");
            await ApiServer.EventuallyAsync(async () =>
            {
                if (answer.Status != HttpStatusCode.OK)
                {
                    answer.Fails(HttpStatusCode.ServiceUnavailable, "UNAVAILABLE", "DATABASE_UNAVAILABLE");
                    answer = await alice.GetAsync($"/v1/documents/{id}");
                }

                return answer.Status == HttpStatusCode.OK;
            });
            Assert.Equal(("1", 1), ((string?)answer.Ok()["revision"], (int?)answer.Ok()["data"]!["n"]));
            (await alice.PatchAsync($"/v1/documents/{id}", """{"data":{"n":3}}""")).Ok();
        }

        Directory.Delete(directory, recursive: true);
    }
}
