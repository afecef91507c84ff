using System.Buffers.Text;
using System.IO.Compression;
using System.Text.Json.Nodes;
using Grpc.Core;
using Vibe.Postgres.Tests;
using Vibe.Realtime.V1;
using Vibe.Server.Auth.Tokens;
using Vibe.Server.Tests.Api;

namespace Vibe.Server.Tests.Auth.Identity;

/// <summary>Certificates from issue to revocation, and what they open.</summary>
[Collection(PostgresCollection.Name)]
public sealed class CertificateTests(ApiHost host) : IClassFixture<ApiHost>
{
    private readonly ApiServer _server = host.Server;

    [Fact]
    public async Task A_certificate_opens_documents_at_once_and_closes_them_at_once()
    {
        var (club, member, stranger, collection) = (await PersonAsync(), await PersonAsync(), await PersonAsync(), _server.Collection());
        var id = await ShareAsync(club, collection, $"cert:{club.Did}#member");
        Assert.False(await SeesAsync(member, collection, id));
        using var stream = await FollowAsync(member, collection);

        var certificate = await IssueAsync(club, member.Did, "member");
        Assert.Equal("ACCESS_CHANGED", await LostAsync(stream));
        Assert.True(await SeesAsync(member, collection, id));
        Assert.False(await SeesAsync(stranger, collection, id));

        using var again = await FollowAsync(member, collection, id);
        (await club.Self.PostAsync($"/v1/certificates/{certificate["id"]}:revoke", "{}")).Ok();
        Assert.Equal("ACCESS_CHANGED", await LostAsync(again));
        Assert.False(await SeesAsync(member, collection, id));
        using var after = await FollowAsync(member, collection);
    }

    [Fact]
    public async Task A_certificate_ends_by_itself_for_calls_and_streams()
    {
        var (club, member, collection) = (await PersonAsync(), await PersonAsync(), _server.Collection());
        var id = await ShareAsync(club, collection, $"cert:{club.Did}#trial");

        // A machine that is too busy to look in time gives the next one longer.
        for (var seconds = 12; ; seconds *= 2)
        {
            var end = TimeProvider.System.GetUtcNow().AddSeconds(seconds);
            await IssueAsync(club, member.Did, "trial", $"\"expireTime\":\"{end:yyyy-MM-ddTHH:mm:ssZ}\"");
            var (call, seen) = await ReadyAsync(member, collection);
            using var stream = call;
            if (TimeProvider.System.GetUtcNow() > end.AddSeconds(-1))
            {
                continue;
            }

            Assert.Equal([id], seen);
            Assert.Equal("ACCESS_CHANGED", await LostAsync(stream));
            Assert.False(await SeesAsync(member, collection, id));
            return;
        }
    }

    [Fact]
    public async Task A_certificate_of_another_issuer_or_type_opens_nothing()
    {
        var (club, other, member, collection) = (await PersonAsync(), await PersonAsync(), await PersonAsync(), _server.Collection());
        var id = await ShareAsync(club, collection, $"cert:{club.Did}#member");
        await IssueAsync(other, member.Did, "member");
        await IssueAsync(club, member.Did, "guest");
        Assert.False(await SeesAsync(member, collection, id));
        await IssueAsync(club, member.Did, "member");
        Assert.True(await SeesAsync(member, collection, id));
    }

    [Fact]
    public async Task Two_certificates_of_a_type_count_until_the_last_is_revoked()
    {
        var (club, member, collection) = (await PersonAsync(), await PersonAsync(), _server.Collection());
        var id = await ShareAsync(club, collection, $"cert:{club.Did}#member");
        var (first, second) = (await IssueAsync(club, member.Did, "member"), await IssueAsync(club, member.Did, "member"));
        (await club.Self.PostAsync($"/v1/certificates/{first["id"]}:revoke", "{}")).Ok();
        Assert.True(await SeesAsync(member, collection, id));
        (await member.Self.PostAsync($"/v1/certificates/{second["id"]}:revoke", "{}")).Ok();
        Assert.False(await SeesAsync(member, collection, id));
    }

    [Fact]
    public async Task An_app_that_acts_for_a_person_does_not_attest_in_their_name_and_one_that_acts_as_itself_does()
    {
        var (club, member, collection) = (await PersonAsync(), await PersonAsync(), _server.Collection());
        var body = $$"""{"subject":"{{member.Did}}","type":"member"}""";
        Assert.Equal("SCOPE_REQUIRED", (await club.Documents.PostAsync("/v1/certificates", body)).Failed().Info.Reason);

        const string App = "did:web:vibe.test:apps:issuer";
        var app = new ApiUser(_server, App, _server.Sign(App, "documents:*:write", client: App));
        var id = await ShareAsync(club, collection, $"cert:{App}#member");
        Assert.Equal(App, (string)(await app.PostAsync("/v1/certificates", body)).Ok()["issuer"]!);
        Assert.True(await SeesAsync(member, collection, id));
    }

    [Fact]
    public async Task Only_issuer_and_holder_see_a_certificate_and_nobody_else_revokes_it()
    {
        var (club, member, stranger) = (await PersonAsync(), await PersonAsync(), await PersonAsync());
        var id = (string)(await IssueAsync(club, member.Did, "member", "\"claims\":{\"since\":2020}"))["id"]!;
        foreach (var person in new[] { club, member })
        {
            Assert.Equal(2020, (int)(await person.Self.GetAsync($"/v1/certificates/{id}")).Ok()["claims"]!["since"]!);
        }

        Assert.Equal("CERTIFICATE_NOT_FOUND", (await stranger.Self.GetAsync($"/v1/certificates/{id}")).Failed().Info.Reason);
        Assert.Equal("CERTIFICATE_NOT_FOUND", (await stranger.Self.PostAsync($"/v1/certificates/{id}:revoke", "{}")).Failed().Info.Reason);
        Assert.Contains(id, (await member.Self.GetAsync("/v1/certificates")).Body, StringComparison.Ordinal);
        Assert.DoesNotContain(id, (await member.Self.GetAsync("/v1/certificates?issued=true")).Body, StringComparison.Ordinal);
        Assert.Contains(id, (await club.Self.GetAsync("/v1/certificates?issued=true&type=member")).Body, StringComparison.Ordinal);
        Assert.DoesNotContain(id, (await club.Self.GetAsync("/v1/certificates?issued=true&type=guest")).Body, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_holder_has_no_more_than_access_rules_look_at_and_later_ones_push_none_out()
    {
        var (club, spammer, member, collection) = (await PersonAsync(), await PersonAsync(), await PersonAsync(), _server.Collection());
        var id = await ShareAsync(club, collection, $"cert:{club.Did}#member");
        await IssueAsync(club, member.Did, "member");
        var reasons = new List<string>();
        for (var i = 0; i < 50; i++)
        {
            var answer = await spammer.Self.PostAsync("/v1/certificates", $$"""{"subject":"{{member.Did}}","type":"t{{i}}"}""");
            reasons.Add(answer.IsOk ? "issued" : answer.Failed().Info.Reason);
        }

        Assert.Equal((47, 3), (reasons.Count(static reason => reason == "issued"), reasons.Count(static reason => reason == "CERTIFICATE_LIMIT")));
        Assert.True(await SeesAsync(member, collection, id));
        // One more of what they hold is no other principal.
        await IssueAsync(club, member.Did, "member");
    }

    [Theory]
    [InlineData("\"type\":\"two words\"", "certificate.type")]
    [InlineData("\"type\":\"x#admin\"", "certificate.type")]
    [InlineData("\"subject\":\"somebody\"", "certificate.subject")]
    [InlineData("\"claims\":{\"id\":\"did:web:other\"}", "certificate.claims")]
    [InlineData("\"keyThumbprint\":\"short\"", "certificate.keyThumbprint")]
    [InlineData("\"expireTime\":\"2020-01-01T00:00:00Z\"", "certificate.expireTime")]
    public async Task What_would_say_something_else_is_refused(string member, string field)
    {
        var club = await PersonAsync();
        var body = JsonNode.Parse($$"""{"subject":"did:web:elsewhere.example","type":"member"}""")!.AsObject();
        foreach (var (name, value) in JsonNode.Parse($"{{{member}}}")!.AsObject())
        {
            body[name] = value?.DeepClone();
        }

        Assert.Equal(field, (await club.Self.PostAsync("/v1/certificates", body.ToJsonString())).Failed().Violations[0].Field);
        Assert.Equal("ACCOUNT_NOT_FOUND", (await club.Self.PostAsync(
            "/v1/certificates", $$"""{"subject":"did:web:vibe.localhost%3A0:users:{{Guid.NewGuid():N}}","type":"member"}""")).Failed().Info.Reason);
    }

    [Fact]
    public async Task A_token_verifies_until_it_is_revoked_and_not_when_a_letter_is_another()
    {
        var (club, member) = (await PersonAsync(), await PersonAsync());
        var certificate = await IssueAsync(club, member.Did, "member", "\"claims\":{\"level\":\"gold\"}");
        var token = (string)certificate["token"]!;
        using var jws = Jws.Parse(token);
        Assert.Equal(("vc+jwt", "ES256", $"{club.Did}#signing"), (jws!.HeaderText("typ"), jws.HeaderText("alg"), jws.HeaderText("kid")));
        Assert.Equal(["VerifiableCredential", "member"], jws.Claims.GetProperty("type").EnumerateArray().Select(static type => type.GetString()!));
        Assert.Equal((club.Did, member.Did), (jws.ClaimText("issuer"), jws.Claims.GetProperty("credentialSubject").GetProperty("id").GetString()));

        var checkedNow = await VerifyAsync(member, token);
        Assert.Equal(("RESULT_VALID", "gold"), ((string)checkedNow["result"]!, (string)checkedNow["certificate"]!["claims"]!["level"]!));
        var parts = token.Split('.');
        var payload = JsonNode.Parse(Base64Url.DecodeFromChars(parts[1]))!;
        payload["type"]![1] = "owner";
        var forged = $"{parts[0]}.{Base64Url.EncodeToString(System.Text.Encoding.UTF8.GetBytes(payload.ToJsonString()))}.{parts[2]}";
        Assert.Equal("RESULT_NOT_AUTHENTIC", (string)(await VerifyAsync(member, forged))["result"]!);
        // Signed by us, and no certificate: an access token.
        Assert.Equal("RESULT_NOT_AUTHENTIC", (string)(await VerifyAsync(member, member.Self.Token!))["result"]!);

        (await club.Self.PostAsync($"/v1/certificates/{certificate["id"]}:revoke", "{}")).Ok();
        Assert.Equal("RESULT_REVOKED", (string)(await VerifyAsync(member, token))["result"]!);
    }

    [Fact]
    public async Task The_status_list_is_signed_by_the_issuer_and_shows_what_is_revoked_and_nothing_else()
    {
        var (club, member) = (await PersonAsync(), await PersonAsync());
        var certificates = new List<JsonNode>();
        for (var i = 0; i < 3; i++)
        {
            certificates.Add(await IssueAsync(club, member.Did, "member"));
        }

        (await club.Self.PostAsync($"/v1/certificates/{certificates[1]["id"]}:revoke", "{}")).Ok();
        var places = certificates.Select(static certificate => StatusOf((string)certificate["token"]!)).ToList();
        Assert.Single(places.Select(static place => place.List).Distinct());
        Assert.Equal(3, places.Select(static place => place.Index).Distinct().Count());
        var response = await _server.Http.GetAsync(new Uri(places[0].List).PathAndQuery);
        Assert.Equal("public, max-age=300", response.Headers.CacheControl!.ToString());
        using var list = Jws.Parse(await response.Content.ReadAsStringAsync(), 100_000);
        Assert.Equal(club.Did, list!.ClaimText("issuer"));
        var subject = list.Claims.GetProperty("credentialSubject");
        Assert.Equal(300_000, subject.GetProperty("ttl").GetInt64());

        // Unpacked by hand, as the specification says it.
        using var zipped = new GZipStream(new MemoryStream(Base64Url.DecodeFromChars(subject.GetProperty("encodedList").GetString().AsSpan(1))), CompressionMode.Decompress);
        using var bits = new MemoryStream();
        await zipped.CopyToAsync(bits);
        Assert.Equal(131_072 / 8, bits.Length);
        var set = Enumerable.Range(0, 131_072).Where(index => (bits.GetBuffer()[index / 8] >> (7 - (index % 8)) & 1) == 1).ToList();
        Assert.Equal([places[1].Index], set);
    }

    private static (string List, int Index) StatusOf(string token)
    {
        using var jws = Jws.Parse(token);
        var status = jws!.Claims.GetProperty("credentialStatus");
        return (status.GetProperty("statusListCredential").GetString()!, int.Parse(status.GetProperty("statusListIndex").GetString()!, System.Globalization.CultureInfo.InvariantCulture));
    }

    private static async Task<JsonNode> VerifyAsync(Holder holder, string token) =>
        (await holder.Documents.PostAsync("/v1/certificates:verify", $$"""{"token":"{{token}}"}""")).Ok();

    private static async Task<JsonNode> IssueAsync(Holder issuer, string subject, string type, string more = "") => (await issuer.Self.PostAsync(
        "/v1/certificates", $$"""{"subject":"{{subject}}","type":"{{type}}"{{(more.Length == 0 ? "" : $",{more}")}}}""")).Ok();

    private static async Task<string> ShareAsync(Holder owner, string collection, string principal) => (string)(await owner.Documents.CreateAsync(
        $$$"""{"collection":"{{{collection}}}","data":{},"acl":{"read":{"allow":["{{{principal}}}"]} } }"""))["id"]!;

    // By id, in a list, and written with the same token as before the certificate: nothing of it is in the token.
    private static async Task<bool> SeesAsync(Holder holder, string collection, string id)
    {
        var isInList = (await holder.Documents.GetAsync($"/v1/documents?collection={collection}&scope=SHARED")).Ok().ToJsonString().Contains(id, StringComparison.Ordinal);
        var answer = await holder.Documents.GetAsync($"/v1/documents/{id}");
        Assert.Equal(isInList, answer.IsOk);
        return isInList;
    }

    private async Task<AsyncServerStreamingCall<SubscribeResponse>> FollowAsync(Holder holder, string collection, string? holds = null)
    {
        var (call, seen) = await ReadyAsync(holder, collection);
        Assert.Equal(holds is null ? [] : [holds], seen);
        return call;
    }

    private async Task<(AsyncServerStreamingCall<SubscribeResponse> Call, List<string> Seen)> ReadyAsync(Holder holder, string collection)
    {
        var client = new RealtimeService.RealtimeServiceClient(_server.Channel);
        var target = new Target { Collection = collection, Scope = Vibe.Documents.V1.DocumentScope.Shared, Initial = true };
        var call = client.Subscribe(
            new SubscribeRequest { Targets = { target } }, holder.Documents.Metadata, TimeProvider.System.GetUtcNow().UtcDateTime + ApiServer.Bound);
        List<string> seen = [];
        while (await call.ResponseStream.MoveNext(CancellationToken.None) && call.ResponseStream.Current.Ready is null)
        {
            seen.AddRange(call.ResponseStream.Current.Batch?.Changes.SelectMany(static change => change.Added).Select(static document => document.Id) ?? []);
        }

        return (call, seen);
    }

    private static async Task<string> LostAsync(AsyncServerStreamingCall<SubscribeResponse> call)
    {
        while (await call.ResponseStream.MoveNext(CancellationToken.None))
        {
            if (call.ResponseStream.Current.AccessLost is { } lost)
            {
                return lost.Reason;
            }
        }

        throw new InvalidOperationException("The stream ended without a word.");
    }

    private async Task<Holder> PersonAsync()
    {
        var id = Guid.CreateVersion7();
        var did = $"did:web:vibe.localhost%3A0:users:{id:N}";
        await _server.Database.Owner.ExecuteAsync($"insert into vibe.accounts (did, handle) values ({did}, {id.ToString("N")})", CancellationToken.None);
        return new Holder(did, new ApiUser(_server, did, _server.Sign(did, "account")), new ApiUser(_server, did, _server.Sign(did, "documents:*:write")));
    }

    /// <summary>A person at their account, and through an app.</summary>
    private sealed record Holder(string Did, ApiUser Self, ApiUser Documents);
}
