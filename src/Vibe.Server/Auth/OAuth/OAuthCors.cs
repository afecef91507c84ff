using Microsoft.AspNetCore.Cors.Infrastructure;
using Microsoft.Extensions.Options;

namespace Vibe.Server.Auth.OAuth;

/// <summary>
/// Which pages may read the provider's answers: those of a registered origin. None may send cookies along; documents about the
/// provider itself are open to all, by the policy of the whole server.
/// </summary>
internal sealed class OAuthCors(Clients clients, IOptions<CorsOptions> options) : ICorsPolicyProvider
{
    /// <summary>For endpoints that pages of apps call.</summary>
    public const string PolicyName = "Vibe.OAuth";

    /// <summary>For endpoints that no page of another origin calls.</summary>
    public const string NonePolicyName = "Vibe.OAuth.None";

    private static readonly CorsPolicy None = new CorsPolicyBuilder().WithOrigins().Build();
    private static readonly TimeSpan PreflightMaxAge = TimeSpan.FromMinutes(10);

    /// <inheritdoc/>
    public async Task<CorsPolicy?> GetPolicyAsync(HttpContext context, string? policyName)
    {
        if (policyName == NonePolicyName)
        {
            return None;
        }

        if (policyName != PolicyName)
        {
            return options.Value.GetPolicy(policyName ?? options.Value.DefaultPolicyName);
        }

        var origin = context.Request.Headers.Origin.ToString();
        return origin.Length > 0 && await clients.IsOriginKnownAsync(origin, context.RequestAborted)
            ? new CorsPolicyBuilder(origin).WithMethods("GET", "POST").WithHeaders("authorization", "content-type", "dpop")
                .WithExposedHeaders("www-authenticate", "dpop-nonce", "date").SetPreflightMaxAge(PreflightMaxAge).Build()
            : None;
    }
}
