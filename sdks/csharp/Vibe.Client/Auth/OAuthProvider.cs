using System.Net;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization;
using Grpc.Core;

namespace Vibe.Client.Auth;

/// <summary>What the provider says of itself (OpenID Connect Discovery 1.0), as far as it is used here.</summary>
internal sealed record Discovery(
    [property: JsonPropertyName("issuer")] string Issuer,
    [property: JsonPropertyName("authorization_endpoint")] string AuthorizationEndpoint,
    [property: JsonPropertyName("token_endpoint")] string TokenEndpoint,
    [property: JsonPropertyName("revocation_endpoint")] string RevocationEndpoint,
    [property: JsonPropertyName("device_authorization_endpoint")] string DeviceAuthorizationEndpoint);

/// <summary>The OAuth side of a server. Thread-safe.</summary>
internal sealed class OAuthProvider(Uri url, HttpClient http, TimeProvider time)
{
    private Discovery? _discovery;
    private long _skewTicks;

    /// <summary>The time by the server's clock, as far as it is known.</summary>
    public DateTimeOffset Now => time.GetUtcNow() + new TimeSpan(Interlocked.Read(ref _skewTicks));

    /// <summary>What it says of itself; asked until it answers once.</summary>
    public async ValueTask<Discovery> DiscoverAsync(CancellationToken cancellationToken)
    {
        if (Volatile.Read(ref _discovery) is { } known)
        {
            return known;
        }

        using var request = new HttpRequestMessage(HttpMethod.Get, new Uri(url, "/.well-known/openid-configuration"));
        using var response = await SendAsync(request, cancellationToken).ConfigureAwait(false);
        if (!response.IsSuccessStatusCode)
        {
            throw VibeException.OfNetwork($"The provider's description: {(int)response.StatusCode}.");
        }

        var body = await response.Content.ReadAsByteArrayAsync(cancellationToken).ConfigureAwait(false);
        Volatile.Write(ref _discovery, JsonSerializer.Deserialize<Discovery>(body));
        return _discovery!;
    }

    /// <summary>A proof of a key for a call of the API. The server may have another name inside a network: it knows itself by the issuer.</summary>
    public async ValueTask<string> ProveCallAsync(DpopKey key, string path, string accessToken)
    {
        var discovery = await DiscoverAsync(CancellationToken.None).ConfigureAwait(false);
        return key.Prove("POST", discovery.Issuer + path, Now, accessToken);
    }

    /// <summary>Posts a form to an endpoint.</summary>
    /// <exception cref="VibeException">The answer is an error, or there is none.</exception>
    public async Task<JsonObject> PostAsync(
        string endpoint, IReadOnlyList<KeyValuePair<string, string>> form, DpopKey? key, CancellationToken cancellationToken)
    {
        for (var repeated = false; ; repeated = true)
        {
            using var request = new HttpRequestMessage(HttpMethod.Post, await AddressAsync(endpoint, cancellationToken).ConfigureAwait(false))
            {
                Content = new FormUrlEncodedContent(form),
            };
            if (key is not null)
            {
                request.Headers.Add("DPoP", key.Prove("POST", endpoint, Now));
            }

            using var response = await SendAsync(request, cancellationToken).ConfigureAwait(false);
            var answer = Parse(await response.Content.ReadAsByteArrayAsync(cancellationToken).ConfigureAwait(false));
            if (response.IsSuccessStatusCode)
            {
                return answer;
            }

            var error = (string?)answer["error"];
            if (error == "invalid_dpop_proof" && !repeated && response.Headers.Date is { } date)
            {
                // Most proofs that are refused come from a clock that is wrong: the answer says what time it is.
                Interlocked.Exchange(ref _skewTicks, (date - time.GetUtcNow()).Ticks);
                continue;
            }

            throw error is null
                ? VibeException.OfNetwork($"{endpoint}: {(int)response.StatusCode}.")
                : ErrorOf(error, (string?)answer["error_description"] ?? error);
        }
    }

    /// <summary>An error in OAuth's words; docs/protocol.md names the reasons.</summary>
    public static VibeException ErrorOf(string error, string description)
    {
        var (code, reason) = error switch
        {
            "invalid_client" => (StatusCode.Unauthenticated, "CLIENT_INVALID"),
            "invalid_grant" => (StatusCode.Unauthenticated, "GRANT_INVALID"),
            "unauthorized_client" => (StatusCode.PermissionDenied, "CLIENT_UNAUTHORIZED"),
            "access_denied" => (StatusCode.PermissionDenied, "ACCESS_DENIED"),
            "invalid_scope" => (StatusCode.InvalidArgument, "SCOPE_INVALID"),
            "invalid_dpop_proof" => (StatusCode.Unauthenticated, "PROOF_INVALID"),
            "expired_token" => (StatusCode.DeadlineExceeded, "SIGN_IN_EXPIRED"),
            "slow_down" => (StatusCode.Unavailable, "RATE_LIMITED"),
            "temporarily_unavailable" => (StatusCode.Unavailable, "UNAVAILABLE"),
            _ => (StatusCode.InvalidArgument, "INVALID_ARGUMENT"),
        };
        return VibeException.Of(code, reason, description, [new("error", error)]);
    }

    private async ValueTask<Uri> AddressAsync(string endpoint, CancellationToken cancellationToken)
    {
        var issuer = (await DiscoverAsync(cancellationToken).ConfigureAwait(false)).Issuer;
        return endpoint.StartsWith(issuer + "/", StringComparison.Ordinal) ? new Uri(url, endpoint[issuer.Length..]) : new Uri(endpoint);
    }

    private async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        try
        {
            // Over a plaintext port HTTP/2 has to be known beforehand; a TLS port says which it speaks.
            request.Version = HttpVersion.Version11;
            request.VersionPolicy = HttpVersionPolicy.RequestVersionOrHigher;
            return await http.SendAsync(request, cancellationToken).ConfigureAwait(false);
        }
        catch (HttpRequestException exception)
        {
            throw VibeException.OfNetwork(exception.Message, exception);
        }
        catch (OperationCanceledException exception) when (!cancellationToken.IsCancellationRequested)
        {
            throw VibeException.OfNetwork("The server does not answer.", exception);
        }
    }

    private static JsonObject Parse(byte[] body)
    {
        try
        {
            return body.Length > 0 ? JsonNode.Parse(body) as JsonObject ?? [] : [];
        }
        catch (JsonException)
        {
            return [];
        }
    }
}
