using Grpc.Core;

namespace Grpc.Net.Client.Configuration;

/// <summary>What a channel does for certain methods, for example which calls it retries.</summary>
public sealed class ServiceConfig
{
    /// <summary>Rules by method. The most exact name wins: service and method, then service, then the empty name.</summary>
    public IList<MethodConfig> MethodConfigs { get; } = [];

    /// <summary>Stops retries while too many calls fail; null means retries are never stopped.</summary>
    public RetryThrottlingPolicy? RetryThrottling { get; set; }
}

/// <summary>A rule for some methods.</summary>
public sealed class MethodConfig
{
    /// <summary>The methods it is for.</summary>
    public IList<MethodName> Names { get; } = [];

    /// <summary>How failed calls are retried; null means not at all.</summary>
    public RetryPolicy? RetryPolicy { get; set; }
}

/// <summary>Names one method, every method of a service, or every method.</summary>
public sealed class MethodName
{
    /// <summary>Every method that no other name fits.</summary>
    public static readonly MethodName Default = new();

    /// <summary>The full service name; null or empty for every service.</summary>
    public string? Service { get; init; }

    /// <summary>The method name; null or empty for every method of the service.</summary>
    public string? Method { get; init; }
}

/// <summary>
/// How failed calls are retried. Only unary calls and calls with a stream of responses are, and only until the first response
/// metadata arrived. The delay before attempt n is <c>min(InitialBackoff × BackoffMultiplier^(n-2), MaxBackoff)</c>, give or take 20 %.
/// A server changes the delay, or forbids a retry, with the trailer <c>grpc-retry-pushback-ms</c>.
/// </summary>
public sealed class RetryPolicy
{
    /// <summary>Attempts in all, the first one included; at least 2, and no more than <see cref="GrpcChannelOptions.MaxRetryAttempts"/> count.</summary>
    public int? MaxAttempts { get; set; }

    /// <summary>The delay before the second attempt; more than zero.</summary>
    public TimeSpan? InitialBackoff { get; set; }

    /// <summary>The longest delay; more than zero.</summary>
    public TimeSpan? MaxBackoff { get; set; }

    /// <summary>What each delay is multiplied with to get the next; more than zero.</summary>
    public double? BackoffMultiplier { get; set; }

    /// <summary>The codes to retry; while it is empty, only <see cref="StatusCode.Unavailable"/>.</summary>
    public IList<StatusCode> RetryableStatusCodes { get; } = [];
}

/// <summary>
/// Stops retries while too many calls fail: each failure takes a token, each success gives <see cref="TokenRatio"/> back, and there are
/// retries while more than half of <see cref="MaxTokens"/> are left.
/// </summary>
public sealed class RetryThrottlingPolicy
{
    /// <summary>Tokens at the start, and the most there can be; 1 to 1000.</summary>
    public int MaxTokens { get; set; } = 10;

    /// <summary>What a success gives back; more than zero.</summary>
    public double TokenRatio { get; set; } = 0.1;
}
