using Microsoft.AspNetCore.Cors.Infrastructure;
using Microsoft.Extensions.DependencyInjection;

namespace Vibe.Rpc.Hosting;

/// <summary>Cross-origin rules for browser clients of gRPC-Web, Connect and REST.</summary>
public static class GrpcCorsExtensions
{
    /// <summary>The policy that <see cref="AddGrpcCors"/> registers; use it with <c>RequireCors</c> and <c>app.UseCors()</c>.</summary>
    public const string PolicyName = "Vibe.Rpc";

    /// <summary>How long a browser may remember a preflight: 2 hours, the most that Chromium honours.</summary>
    public static readonly TimeSpan PreflightMaxAge = TimeSpan.FromHours(2);

    /// <summary>Headers by name: a browser that sends credentials does not take the wildcard.</summary>
    private static readonly string[] Exposed =
    [
        "grpc-status", "grpc-message", "grpc-status-details-bin", "grpc-encoding", "grpc-accept-encoding",
        "connect-content-encoding", "connect-accept-encoding", "content-encoding", "etag", "location", "retry-after", "www-authenticate", "*",
    ];

    /// <summary>Registers the policy <see cref="PolicyName"/>: these origins, without cookies.</summary>
    /// <param name="services">The application's services.</param>
    /// <param name="origins">The allowed origins, such as <c>https://app.example</c>; none allows every origin.</param>
    public static IServiceCollection AddGrpcCors(this IServiceCollection services, params string[] origins)
    {
        ArgumentNullException.ThrowIfNull(services);
        ArgumentNullException.ThrowIfNull(origins);
        return services.AddCors(cors => cors.AddPolicy(PolicyName, policy =>
            (origins.Length == 0 ? policy.AllowAnyOrigin() : policy.WithOrigins(origins)).AllowRpcClients()));
    }

    /// <summary>
    /// Allows what browser clients send and lets them see what they must: any request header (metadata is free to choose its names),
    /// the protocols' response headers, and, for calls without credentials, every other response header, among them Connect's
    /// <c>trailer-…</c>. There is no wildcard for those once the policy allows credentials: name them with
    /// <see cref="CorsPolicyBuilder.WithExposedHeaders"/> then. Tokens in the <c>Authorization</c> header are no credentials in
    /// this sense and need no <see cref="CorsPolicyBuilder.AllowCredentials"/>.
    /// </summary>
    /// <param name="policy">The policy, with its origins.</param>
    public static CorsPolicyBuilder AllowRpcClients(this CorsPolicyBuilder policy)
    {
        ArgumentNullException.ThrowIfNull(policy);
        return policy
            .WithMethods("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE")
            .AllowAnyHeader()
            .WithExposedHeaders(Exposed)
            .SetPreflightMaxAge(PreflightMaxAge);
    }
}
