using System.Buffers.Text;
using System.Net;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.WebUtilities;
using Microsoft.Extensions.DependencyInjection;
using Vibe.Server.Auth.Accounts;
using Vibe.Server.Tests.Api;
using Vibe.Server.Tests.Auth.Accounts;

namespace Vibe.Server.Tests.Auth.OAuth;

/// <summary>Somebody with an account and a browser, who is sent from an app to the provider and back.</summary>
internal sealed class Person
{
    public static readonly string Verifier = new('v', 64);

    private static int Names;
    private readonly ApiServer _server;

    private Person(ApiServer server, string did) => (_server, Did, Browser) = (server, did, new Browser(server));

    public string Did { get; }

    public Browser Browser { get; }

    /// <summary>PKCE, S256.</summary>
    public static string Challenge => Base64Url.EncodeToString(SHA256.HashData(Encoding.ASCII.GetBytes(Verifier)));

    /// <summary>Somebody nobody else knows, signed in.</summary>
    public static async Task<Person> CreateAsync(ApiServer server)
    {
        var person = await CreateSignedOutAsync(server);
        await person.SignInAsync();
        return person;
    }

    /// <summary>Somebody nobody else knows, with nobody signed in in the browser.</summary>
    public static async Task<Person> CreateSignedOutAsync(ApiServer server)
    {
        var name = $"person-{Interlocked.Increment(ref Names)}";
        var did = $"did:web:vibe.test:users:{name}";
        await server.Database.Owner.ExecuteAsync(
            $"insert into vibe.accounts (did, handle, display_name, locale) values ({did}, {name}, 'A Person', 'en')", CancellationToken.None);
        return new Person(server, did);
    }

    /// <summary>Signs in, or in again.</summary>
    public async Task SignInAsync(params string[] methods)
    {
        var http = new DefaultHttpContext { RequestServices = _server.App.Services };
        http.Request.Headers.Cookie = string.Join("; ", Browser.Cookies.Select(static cookie => $"{cookie.Key}={cookie.Value}"));
        await _server.App.Services.GetRequiredService<Sessions>().SignInAsync(
            http, Did, methods.Length > 0 ? methods : [AuthMethod.DeviceKey, AuthMethod.UserVerified], CancellationToken.None);
        foreach (var header in http.Response.Headers.SetCookie)
        {
            var pair = header!.Split(';')[0].Split('=', 2);
            Browser.Cookies[pair[0]] = WebUtility.UrlDecode(pair[1]);
        }
    }

    /// <summary>Comes to the provider with an app's request. The parameters change or (with null) leave out the usual ones.</summary>
    public Task<ApiAnswer> AuthorizeAsync(TestApp app, params (string Name, string? Value)[] changes) =>
        Browser.GetAsync(QueryHelpers.AddQueryString("/oauth/authorize", Request(app, changes)!));

    /// <summary>The parameters of a request.</summary>
    public static Dictionary<string, string> Request(TestApp app, params (string Name, string? Value)[] changes)
    {
        var parameters = new Dictionary<string, string>
        {
            ["client_id"] = app.Did, ["response_type"] = "code", ["redirect_uri"] = TestApp.Callback, ["scope"] = TestApp.Scope, ["state"] = "s t&te",
            ["nonce"] = "n0nce", ["code_challenge"] = Challenge, ["code_challenge_method"] = "S256",
        };
        foreach (var (name, value) in changes)
        {
            if (value is null)
            {
                parameters.Remove(name);
            }
            else
            {
                parameters[name] = value;
            }
        }

        return parameters;
    }

    /// <summary>Comes with a request, allows what is asked, and is sent back.</summary>
    /// <returns>What the app is told.</returns>
    public async Task<Dictionary<string, string>> AllowAsync(TestApp app, params (string Name, string? Value)[] changes) =>
        Told(await AllowAndGoAsync(await AuthorizeAsync(app, changes)));

    /// <summary>Allows what a page asks, unless the browser was sent back already.</summary>
    public async Task<ApiAnswer> AllowAndGoAsync(ApiAnswer answer)
    {
        if (Location(answer) is not { } location || !location.StartsWith("/consent?request=", StringComparison.Ordinal))
        {
            return answer;
        }

        var id = location["/consent?request=".Length..];
        var asked = (await Browser.GetAsync($"/auth/requests/{id}")).Ok()["asks"]!.AsArray();
        var names = new JsonArray([.. asked.Select(static scope => (JsonNode)(string)scope!["name"]!)]);
        var decided = await Browser.PostAsync($"/auth/requests/{id}:decide", new JsonObject { ["allow"] = true, ["scopes"] = names }.ToJsonString());
        return await Browser.GetAsync((string)decided.Ok()["redirectUri"]!);
    }

    /// <summary>Comes with a request, allows what is asked, and lets the app redeem the code.</summary>
    public async Task<JsonNode> TokensAsync(TestApp app, params (string Name, string? Value)[] changes) =>
        (await app.RedeemAsync((await AllowAsync(app, changes))["code"], Verifier)).Ok();

    /// <summary>Where an answer sends the browser; null when it does not.</summary>
    public static string? Location(ApiAnswer answer) =>
        answer.Headers.FirstOrDefault(static header => header.StartsWith("location: ", StringComparison.Ordinal))?["location: ".Length..];

    /// <summary>What an answer tells the app in the address of its callback.</summary>
    public static Dictionary<string, string> Told(ApiAnswer answer)
    {
        Assert.True(answer.Status == HttpStatusCode.SeeOther, $"{answer.Status}: {answer.Body}");
        var location = Location(answer)!;
        Assert.StartsWith($"{TestApp.Callback}&", location, StringComparison.Ordinal);
        return QueryHelpers.ParseQuery(new Uri(location).Query).ToDictionary(static pair => pair.Key, static pair => pair.Value.ToString());
    }

    /// <summary>The claims of a JWT.</summary>
    public static JsonNode Claims(string token) => JsonNode.Parse(Base64Url.DecodeFromChars(token.Split('.')[1]))!;

    /// <summary>The header of a JWT.</summary>
    public static JsonNode Header(string token) => JsonNode.Parse(Base64Url.DecodeFromChars(token.Split('.')[0]))!;
}
