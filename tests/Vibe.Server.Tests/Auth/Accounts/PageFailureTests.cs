using System.Net;
using Vibe.Postgres.Tests;
using Vibe.Server.Tests.Api;
using Xunit.Sdk;

namespace Vibe.Server.Tests.Auth.Accounts;

/// <summary>What the pages are told of a mistake of the server.</summary>
[Collection(PostgresCollection.Name)]
public sealed class PageFailureTests(EmbeddedClusterFixture cluster)
{
    [Fact]
    public async Task A_failure_nobody_foresaw_is_INTERNAL_with_an_id_and_logged_as_an_error()
    {
        var server = await ApiServer.StartAsync(await cluster.CreateEmptyDatabaseAsync());
        await server.Database.Owner.ExecuteAsync($"alter table vibe.challenges rename to lost", default);
        var answer = await new Browser(server).PostAsync("/auth/passkeys/sign-in/options");
        var error = answer.Fails(HttpStatusCode.InternalServerError, "INTERNAL", "INTERNAL");
        Assert.NotEmpty((string)error["details"]![0]!["metadata"]!["requestId"]!);
        Assert.DoesNotContain("challenges", answer.Body, StringComparison.Ordinal);

        // The test's server does not pass over an error in its log.
        await Assert.ThrowsAnyAsync<XunitException>(async () => await server.DisposeAsync());
    }
}
