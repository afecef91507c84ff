using System.Collections.Frozen;
using Grpc.Core;
using Grpc.Net.Client;
using Grpc.Net.Client.Configuration;

namespace Vibe.Rpc.Client;

/// <summary>A checked <see cref="RetryPolicy"/>.</summary>
internal sealed class RetrySchedule
{
    private readonly FrozenSet<StatusCode> _codes;
    private readonly TimeSpan _initialBackoff;
    private readonly TimeSpan _maxBackoff;
    private readonly double _multiplier;

    public RetrySchedule(RetryPolicy policy, int? maxAttempts)
    {
        _initialBackoff = Positive(policy.InitialBackoff, nameof(policy.InitialBackoff));
        _maxBackoff = Positive(policy.MaxBackoff, nameof(policy.MaxBackoff));
        _multiplier = policy.BackoffMultiplier is > 0
            ? policy.BackoffMultiplier.Value
            : throw new InvalidOperationException("A retry policy needs a BackoffMultiplier of more than zero.");
        MaxAttempts = policy.MaxAttempts is >= 2
            ? Math.Min(policy.MaxAttempts.Value, maxAttempts ?? int.MaxValue)
            : throw new InvalidOperationException("A retry policy needs MaxAttempts of two or more.");
        _codes = policy.RetryableStatusCodes.Count > 0
            ? policy.RetryableStatusCodes.ToFrozenSet()
            : new[] { StatusCode.Unavailable }.ToFrozenSet();
    }

    public int MaxAttempts { get; }

    public bool Covers(StatusCode code) => _codes.Contains(code);

    /// <summary>The delay before a retry, give or take 20 % so that clients that failed together do not come back together.</summary>
    /// <param name="retry">1 for the first retry.</param>
    public TimeSpan Backoff(int retry)
    {
        var backoff = Math.Min(_initialBackoff.TotalSeconds * Math.Pow(_multiplier, retry - 1), _maxBackoff.TotalSeconds);
        return TimeSpan.FromSeconds(backoff * Jitter());
    }

    /// <summary>The delay before a call that waits for its server tries again (gRPC connection back-off).</summary>
    /// <param name="failures">1 after the first failed attempt.</param>
    public static TimeSpan ConnectBackoff(int failures) =>
        TimeSpan.FromSeconds(Math.Min(Math.Pow(1.6, failures - 1), 120) * Jitter());

    private static double Jitter() => 0.8 + (Random.Shared.NextDouble() * 0.4);

    private static TimeSpan Positive(TimeSpan? value, string name) => value > TimeSpan.Zero
        ? value.Value
        : throw new InvalidOperationException($"A retry policy needs {name} of more than zero.");
}

/// <summary>Finds the retry schedule of a method.</summary>
internal sealed class RetryRules
{
    private readonly Dictionary<(string Service, string Method), RetrySchedule?> _schedules = [];

    public RetryRules(GrpcChannelOptions options)
    {
        if (options.ServiceConfig is not { } config)
        {
            return;
        }

        Throttle = config.RetryThrottling is { } throttling ? new RetryThrottle(throttling) : null;
        foreach (var rule in config.MethodConfigs)
        {
            var schedule = rule.RetryPolicy is { } policy ? new RetrySchedule(policy, options.MaxRetryAttempts) : null;
            foreach (var name in rule.Names)
            {
                var key = (name.Service ?? "", name.Method ?? "");
                if (key is { Item1: "", Item2: not "" } || !_schedules.TryAdd(key, schedule))
                {
                    throw new InvalidOperationException(
                        $"The method name \"{key.Item1}/{key.Item2}\" of the service config lacks its service or occurs twice.");
                }
            }
        }
    }

    public RetryThrottle? Throttle { get; }

    public RetrySchedule? Find(IMethod method) =>
        _schedules.TryGetValue((method.ServiceName, method.Name), out var schedule)
        || _schedules.TryGetValue((method.ServiceName, ""), out schedule)
        || _schedules.TryGetValue(("", ""), out schedule)
            ? schedule
            : null;
}

/// <summary>The tokens of a <see cref="RetryThrottlingPolicy"/>.</summary>
internal sealed class RetryThrottle
{
    private readonly Lock _gate = new();
    private readonly RetryThrottlingPolicy _policy;
    private double _tokens;

    public RetryThrottle(RetryThrottlingPolicy policy)
    {
        if (policy.MaxTokens is < 1 or > 1000 || policy.TokenRatio <= 0)
        {
            throw new InvalidOperationException("Retry throttling needs MaxTokens of 1 to 1000 and a TokenRatio of more than zero.");
        }

        _policy = policy;
        _tokens = policy.MaxTokens;
    }

    public bool AllowsRetries
    {
        get
        {
            lock (_gate)
            {
                return _tokens > _policy.MaxTokens / 2.0;
            }
        }
    }

    public void Failed()
    {
        lock (_gate)
        {
            _tokens = Math.Max(_tokens - 1, 0);
        }
    }

    public void Succeeded()
    {
        lock (_gate)
        {
            _tokens = Math.Min(_tokens + _policy.TokenRatio, _policy.MaxTokens);
        }
    }
}
