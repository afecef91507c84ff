using System.Net;
using System.Text;
using System.Text.Json.Nodes;
using Google.Protobuf.Reflection;
using Grpc.Core;
using Vibe.Options.V1;
using Vibe.Postgres.Tests;

namespace Vibe.Server.Tests.Api;

/// <summary>
/// Who may call what: for each method of the contract and each kind of token, the answer that the method's declared
/// permission asks for. A method that is not in the table fails.
/// </summary>
[Collection(PostgresCollection.Name)]
public sealed class AuthorizationTests(ApiHost host) : IClassFixture<ApiHost>
{
    private const string EveryScope = "documents:*:write admin account";

    // A request for each method that succeeds when the caller may call; $id is a document of the caller.
    private static readonly Dictionary<string, string> Requests = new()
    {
        ["CreateDocument"] = """{"document":{"collection":"notes","data":{}}}""",
        ["GetDocument"] = """{"id":"$id"}""",
        ["BatchGetDocuments"] = """{"ids":["$id"]}""",
        ["ListDocuments"] = """{"collection":"notes"}""",
        ["QueryDocuments"] = """{"collection":"notes"}""",
        ["UpdateDocument"] = """{"id":"$id","document":{"data":{"a":1}}}""",
        ["UpsertDocument"] = """{"collection":"notes","key":"k","document":{"data":{}}}""",
        ["DeleteDocument"] = """{"id":"$id"}""",
        ["BatchWriteDocuments"] = """{"writes":[{"delete":{"id":"$id"}}]}""",
        ["AggregateDocuments"] = """{"collection":"notes","aggregations":[{"alias":"n","function":"FUNCTION_COUNT"}]}""",
        ["ListEdges"] = """{"id":"$id"}""",
        ["SearchDocuments"] = """{"collection":"texts","query":"x"}""",
        ["SuggestFieldIndex"] = """{"fieldIndex":{"collection":"notes","path":"data.suggested"}}""",
        ["ApproveFieldIndex"] = """{"fieldIndex":{"collection":"texts","path":"data","kind":"KIND_TEXT"}}""",
        ["ListFieldIndexes"] = "{}",
        ["Subscribe"] = "{}",
        ["UpdateSubscriptions"] = """{"streamId":"0190a000-0000-7000-8000-000000000000"}""",
        ["JoinChannel"] = """{"channel":"nowhere"}""",
        ["PublishMessage"] = """{"channel":"app:lobby","streamId":"0190a000-0000-7000-8000-000000000000","payload":{}}""",
        ["SetPresence"] = """{"channel":"app:lobby","streamId":"0190a000-0000-7000-8000-000000000000"}""",
        ["CreateApp"] = """{"app":{"name":"-"}}""",
        ["GetApp"] = """{"name":"nobodys"}""",
        ["ListApps"] = """{}""",
        ["UpdateApp"] = """{"name":"nobodys","app":{}}""",
        ["DeleteApp"] = """{"name":"nobodys"}""",
        ["TransferApp"] = """{"name":"nobodys","account":"did:web:vibe.test:users:x"}""",
        ["ListAppAdmins"] = """{"name":"nobodys"}""",
        ["AddAppAdmin"] = """{"name":"nobodys","account":"did:web:vibe.test:users:x"}""",
        ["RemoveAppAdmin"] = """{"name":"nobodys","account":"did:web:vibe.test:users:x"}""",
        ["CreateAppCredential"] = """{"name":"nobodys"}""",
        ["ListAppCredentials"] = """{"name":"nobodys"}""",
        ["RevokeAppCredential"] = """{"name":"nobodys"}""",
        ["ApproveAppPrivileges"] = """{"name":"nobodys"}""",
        ["VerifyApp"] = """{"name":"nobodys"}""",
        ["DisableApp"] = """{"name":"nobodys"}""",
        ["EnableApp"] = """{"name":"nobodys"}""",
        ["ListAppAuditEvents"] = """{"name":"nobodys"}""",
        ["GetAccount"] = "{}",
        ["UpdateAccount"] = """{"account":{"displayName":"x"}}""",
        ["DeleteAccount"] = """{"handle":"x"}""",
        ["ExportAccount"] = "{}",
        ["ListSessions"] = "{}",
        ["RevokeSession"] = """{"sessionId":"x"}""",
        ["ListPasskeys"] = "{}",
        ["RenamePasskey"] = """{"passkeyId":"x"}""",
        ["DeletePasskey"] = """{"passkeyId":"x"}""",
        ["ListEmailAddresses"] = "{}",
        ["DeleteEmailAddress"] = """{"address":"x"}""",
        ["ListGrants"] = "{}",
        ["RevokeGrant"] = """{"app":"x"}""",
        ["ListAuditEvents"] = "{}",
        ["CreateChallenge"] = """{"clientId":""}""",
        ["IssueToken"] = """{"client":{"clientSecret":"one","clientAssertion":"way too many"},"appItself":{}}""",
        ["RefreshToken"] = """{"client":{"clientSecret":"one","clientAssertion":"way too many"},"refreshToken":"x"}""",
        ["RevokeToken"] = "{}",
        ["IssueCertificate"] = """{"certificate":{"subject":"did:web:vibe.example","type":"member"}}""",
        ["GetCertificate"] = """{"id":"nobodys"}""",
        ["ListCertificates"] = "{}",
        ["VerifyCertificate"] = """{"token":"nobodys"}""",
        ["RevokeCertificate"] = """{"id":"nobodys"}""",
        ["DropFieldIndex"] = """{"collection":"notes","path":"data.dropped"}""",
    };

    private readonly ApiServer _server = host.Server;

    public static TheoryData<string> Methods => [.. Declared.Select(static method => method.FullName)];

    private static IEnumerable<MethodDescriptor> Declared => typeof(Contracts).Assembly.GetTypes()
        .Where(static type => type.Name.EndsWith("Reflection", StringComparison.Ordinal))
        .SelectMany(static type => ((FileDescriptor)type.GetProperty("Descriptor")!.GetValue(null)!).Services)
        .SelectMany(static service => service.Methods);

    [Theory]
    [MemberData(nameof(Methods))]
    public async Task Every_method_asks_for_the_permission_it_declares(string fullName)
    {
        var (service, name) = (fullName[..fullName.LastIndexOf('.')], fullName[(fullName.LastIndexOf('.') + 1)..]);
        Assert.True(Requests.TryGetValue(name, out var request), $"{fullName} is not in the table of requests.");
        var method = Declared.Single(method => method.FullName == fullName);
        var permission = method.GetOptions().GetExtension(OptionsExtensions.Method).Permission;
        var path = $"/{service}/{name}";

        foreach (var (kind, token, expected) in Expectations(permission))
        {
            var user = new ApiUser(_server, "", token);
            var json = Encoding.UTF8.GetBytes(await PrepareAsync(request, token));
            using var message = method.IsServerStreaming
                ? user.Request(HttpMethod.Post, path, [0, 0, 0, 0, (byte)json.Length, .. json], "application/connect+json")
                : user.Request(HttpMethod.Post, path, json, "application/json");
            using var response = await _server.Http.SendAsync(message);
            var body = method.IsServerStreaming
                ? EndOfStream(await response.Content.ReadAsByteArrayAsync())
                : await response.Content.ReadAsStringAsync();
            Assert.True(expected == Outcome(response.StatusCode, body), $"{name}, {kind}: expected {expected}, got {response.StatusCode} {body}");
        }
    }

    [Fact]
    public void The_table_names_no_method_that_is_gone() =>
        Assert.Empty(Requests.Keys.Except(Declared.Select(static method => method.Name)));

    [Theory]
    [InlineData("/grpc.health.v1.Health/Check", "{}")]
    public async Task Public_contracts_are_open_to_those_without_a_token(string path, string request)
    {
        using var message = _server.Visitor().Request(HttpMethod.Post, path, Encoding.UTF8.GetBytes(request), "application/json");
        using var response = await _server.Http.SendAsync(message);
        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
    }

    private IEnumerable<(string Kind, string? Token, string Expected)> Expectations(Permission permission)
    {
        const string Me = "did:web:vibe.test:users:authorized";
        var isPublic = permission == Permission.Public;

        // A bad token is refused everywhere: whoever sends one means to be someone.
        yield return ("an expired token", _server.Sign(Me, EveryScope, TimeSpan.FromMinutes(-5)), "unauthenticated TOKEN_EXPIRED");
        yield return ("a token of another key", Tokens.OfOtherKey(_server, EveryScope), "unauthenticated TOKEN_INVALID");
        yield return ("a token for someone else", Tokens.OfOtherAudience(_server, EveryScope), "unauthenticated TOKEN_INVALID");
        yield return ("no bearer token", "of another kind", "unauthenticated TOKEN_INVALID");
        yield return ("no token", null, isPublic ? "open" : "unauthenticated TOKEN_REQUIRED");
        yield return ("a token without scopes", _server.Sign(Me, ""), permission switch
        {
            Permission.Public or Permission.Authenticated => "open",
            Permission.DocumentsWrite or Permission.Admin or Permission.Account or Permission.Self => "permission_denied SCOPE_REQUIRED",
            _ => throw new InvalidOperationException($"{permission} has no rule here."),
        });
        yield return ("a token to read", _server.Sign(Me, "documents:*:read"), permission switch
        {
            Permission.Public or Permission.Authenticated => "open",
            _ => "permission_denied SCOPE_REQUIRED",
        });
        yield return ("a token to write", _server.Sign(Me, "documents:*:write"), permission is Permission.Admin or Permission.Account or Permission.Self ? "permission_denied SCOPE_REQUIRED" : "open");
        yield return ("a token of an operator", _server.Sign(Me, "admin"), permission is Permission.DocumentsWrite or Permission.Account or Permission.Self ? "permission_denied SCOPE_REQUIRED" : "open");
        yield return ("a token of a person at their account", _server.Sign(Me, "account"), permission is Permission.DocumentsWrite or Permission.Admin ? "permission_denied SCOPE_REQUIRED" : "open");
        yield return ("a token for everything", _server.Sign(Me, EveryScope), "open");
    }

    // A stream that fails at once is one frame with the flag of the end: {"error": …}.
    private static string EndOfStream(byte[] frames)
    {
        Assert.Equal(2, frames[0]);
        return JsonNode.Parse(frames.AsSpan(5))!["error"]!.ToJsonString();
    }

    // Open: the call came to its handler, which may still find that there is nothing to see.
    private static string Outcome(HttpStatusCode status, string body)
    {
        if (status == HttpStatusCode.OK && !body.StartsWith("""{"code""", StringComparison.Ordinal))
        {
            return "open";
        }

        var failure = WireFailure.OfConnect(status == HttpStatusCode.OK ? HttpStatusCode.BadRequest : status, body);
        if (failure.Info.Reason == "SIGN_IN_REQUIRED")
        {
            // The handler of somebody's own account asks for more than a token.
            return "open";
        }

        return failure.Code is StatusCode.NotFound or StatusCode.FailedPrecondition or StatusCode.InvalidArgument && failure.Info.Domain == "vibe.dev"
            ? "open"
            : $"{(string)JsonNode.Parse(body)!["code"]!} {failure.Info.Reason}";
    }

    // Fills in what the request needs to be there.
    private async Task<string> PrepareAsync(string request, string? token)
    {
        if (request.Contains("data.dropped", StringComparison.Ordinal))
        {
            (await _server.User("admin").PostAsync("/v1/fieldIndexes:approve", """{"collection":"notes","path":"data.dropped"}""")).Ok();
        }

        if (!request.Contains("$id", StringComparison.Ordinal))
        {
            return request;
        }

        var owner = new ApiUser(_server, "", token is null ? _server.User().Token : _server.Sign("did:web:vibe.test:users:authorized", "documents:*:write"));
        var id = (string)(await owner.CreateAsync("""{"collection":"notes","data":{},"acl":{"read":{"allow":["*"]}}}"""))["id"]!;
        return request.Replace("$id", id, StringComparison.Ordinal);
    }
}
