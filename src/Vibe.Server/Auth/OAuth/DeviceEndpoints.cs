using System.Text.Json.Nodes;

namespace Vibe.Server.Auth.OAuth;

/// <summary>Where a device without a browser begins (RFC 8628 section 3.1).</summary>
internal static class DeviceEndpoints
{
    /// <summary>Maps it.</summary>
    public static void MapDeviceEndpoints(this IEndpointRouteBuilder endpoints) =>
        endpoints.MapPost("/oauth/device_authorization", static http => OAuthAnswers.RunAsync(http, cancellationToken => StartAsync(http, cancellationToken)))
            .RequireCors(OAuthCors.NonePolicyName);

    // No address with the code in it: a person types it, and sees what they let in (RFC 8628 section 5.4).
    private static async Task StartAsync(HttpContext http, CancellationToken cancellationToken)
    {
        var services = http.RequestServices;
        var parameters = await Parameters.OfFormAsync(http.Request, cancellationToken);
        var authorization = http.Request.Headers.Authorization is [{ } header] ? header : null;
        var client = await services.GetRequiredService<ClientAuthentication>().AuthenticateAsync(authorization, parameters, cancellationToken);
        var scopes = ScopeNames.Check(client, ScopeNames.Parse(parameters["scope"]));
        if (scopes.Count == 0)
        {
            throw OAuthError.InvalidScope("The request asks for nothing: name scopes.");
        }

        var (deviceCode, userCode) = await services.GetRequiredService<DeviceCodes>().CreateAsync(
            client, scopes, OAuthAnswers.NetworkOf(http), cancellationToken);
        await OAuthAnswers.WriteAsync(http, new JsonObject
        {
            ["device_code"] = deviceCode,
            ["user_code"] = userCode,
            ["verification_uri"] = $"{services.GetRequiredService<AuthOptions>().Issuer}/device",
            ["expires_in"] = (long)DeviceCodes.Life.TotalSeconds,
            ["interval"] = (long)DeviceCodes.Interval.TotalSeconds,
        });
    }
}
