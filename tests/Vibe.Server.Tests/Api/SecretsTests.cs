using System.Text;
using Grpc.Core;
using Microsoft.Extensions.Logging;
using Vibe.Documents.V1;
using Vibe.Postgres.Tests;
using Vibe.Server.Tests.Documents;

namespace Vibe.Server.Tests.Api;

/// <summary>Whatever the level: no token and no body is ever logged.</summary>
[Collection(PostgresCollection.Name)]
public sealed class SecretsTests(EmbeddedClusterFixture cluster)
{
    private const string Secret = "s3cr3t-body";

    [Fact]
    public async Task Neither_tokens_nor_bodies_reach_the_log_at_trace()
    {
        await using var server = await ApiServer.StartAsync(
            await cluster.CreateEmptyDatabaseAsync(), static builder => builder.Logging.SetMinimumLevel(LogLevel.Trace));
        var alice = server.User();
        var (forged, expired) = (Tokens.OfOtherKey(server, "admin"), server.Sign(alice.Did, "admin", TimeSpan.FromHours(-1)));
        var document = $$$"""{"collection":"notes","data":{"title":"{{{Secret}}}","{{{Secret}}}":1}}""";

        var id = (string)(await alice.CreateAsync(document))["id"]!;
        (await alice.GetAsync($"/v1/documents/{id}")).Ok();
        (await alice.PostAsync(
            "/v1/documents:query",
            $$$$"""{"collection":"notes","filter":{"compare":{"field":"data.title","op":"OPERATOR_EQ","value":"{{{{Secret}}}}"}}}""")).Ok();
        await alice.Grpc.UpdateDocumentAsync(new() { Id = id, Document = new() { Data = Someone.Body($$"""{"b":"{{Secret}}"}""") } }, alice.Metadata);
        foreach (var token in (string[])[forged, expired, "text that is no token at all", alice.Token![..^4]])
        {
            var user = new ApiUser(server, "", token);
            Assert.Equal(System.Net.HttpStatusCode.Unauthorized, (await user.PostAsync("/v1/documents", document)).Status);
            await Assert.ThrowsAsync<RpcException>(async () => await user.Grpc.GetDocumentAsync(new GetDocumentRequest { Id = id }, user.Metadata));
        }

        string[] broken =
        [
            $$"""{"collection":"notes","data":{"title":"{{Secret}}",}""",
            $$$"""{"collection":"notes","data":{"{{{Secret}}}":1,"{{{Secret}}}":2}}""",
            $$"""{"collection":"notes","data":"{{Secret}}"}""",
            $$$"""{"collection":"NOTES","data":{"a":"{{{Secret}}}"}}""",
            $$$"""{"collection":"notes","id":"{{{id}}}","data":{"a":"{{{Secret}}}"}}""",
        ];
        foreach (var body in broken)
        {
            Assert.NotEqual(System.Net.HttpStatusCode.OK, (await alice.PostAsync("/v1/documents", body)).Status);
        }

        var call = ApiCall.Create(Encoding.UTF8.GetBytes($$$"""{"collection":"notes","data":{"a":"{{{Secret}}}","b":{{{new string('[', 200)}}}"""), isText: true);
        await server.FailAsync(alice, call);
        await server.App.StopAsync();

        var lines = server.Logs.Lines;
        Assert.Contains(lines, static line => line.Level == LogLevel.Trace);
        Assert.Contains(lines, static line => line.Text.Contains("/v1/documents", StringComparison.Ordinal));
        foreach (var secret in (string[])[Secret, .. PartsOf(alice.Token!), .. PartsOf(forged), .. PartsOf(expired), "text that is no token"])
        {
            Assert.DoesNotContain(lines, line => line.Text.Contains(secret, StringComparison.Ordinal));
        }
    }

    // A cut token is a secret too: any 24 characters of it. The header is the same for all tokens, and no secret.
    private static IEnumerable<string> PartsOf(string token) =>
        token.Split('.').Skip(1).SelectMany(static part => part.Chunk(24)).Where(static chunk => chunk.Length == 24).Select(static chunk => new string(chunk));
}
