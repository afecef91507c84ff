using System.Security.Cryptography;
using System.Text;
using Vibe.Postgres.Sessions;

namespace Vibe.Server.Auth.Accounts;

/// <summary>A token bucket: so many attempts at once, and one more after each <paramref name="Refill"/>.</summary>
/// <param name="Name">Keeps the buckets of different rules apart.</param>
/// <param name="Burst">How many attempts a full bucket holds.</param>
/// <param name="Refill">How long one attempt takes to come back.</param>
internal sealed record ThrottleRule(string Name, int Burst, TimeSpan Refill);

/// <summary>Counts attempts across all nodes: by account, by network, in all. Keys are kept as hashes.</summary>
internal sealed class Throttle(Database database, TimeProvider time)
{
    /// <summary>Takes one attempt.</summary>
    /// <exception cref="Grpc.Core.RpcException">RESOURCE_EXHAUSTED, reason RATE_LIMITED, with the time to come back after.</exception>
    public async Task TakeAsync(ThrottleRule rule, string key, CancellationToken cancellationToken)
    {
        if (await TryTakeAsync(rule, key, cancellationToken) is { } wait)
        {
            throw AuthErrors.TooManyAttempts(wait);
        }
    }

    /// <summary>Takes one attempt and returns null, or how long to wait for one.</summary>
    public async Task<TimeSpan?> TryTakeAsync(ThrottleRule rule, string key, CancellationToken cancellationToken)
    {
        var (bucket, now) = (KeyOf(rule, key), time.GetUtcNow());
        var burst = (double)rule.Burst;
        var refill = rule.Refill.TotalSeconds;

        // A clock that is behind another node's must not take tokens away.
        Sql filled = $"least({burst}, t.tokens + greatest(0, extract(epoch from {now} - t.update_time)) / {refill})";
        var left = await database.Owner.WriteFirstAsync(
            $"""
            insert into vibe.throttles as t (key, tokens, update_time) values ({bucket}, {burst - 1}, {now})
            on conflict (key) do update set tokens = {filled} - 1, update_time = greatest(t.update_time, {now}) where {filled} >= 1
            returning t.tokens
            """,
            static row => (double?)row.GetDouble(0),
            cancellationToken);
        if (left is not null)
        {
            return null;
        }

        var held = await database.Owner.QueryFirstAsync(
            $"select {filled} from vibe.throttles t where t.key = {bucket}", static row => (double?)row.GetDouble(0), cancellationToken);
        return TimeSpan.FromSeconds(Math.Max(1, Math.Ceiling((1 - (held ?? 0)) * refill)));
    }

    private static string KeyOf(ThrottleRule rule, string key) =>
        $"{rule.Name}:{Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(key)).AsSpan(0, 16))}";
}
