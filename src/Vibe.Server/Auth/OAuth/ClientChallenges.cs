using System.Buffers.Binary;
using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;

namespace Vibe.Server.Auth.OAuth;

/// <summary>
/// Challenges for apps without a clock they can trust. They carry their own end and whom they are for, sealed with a key that all
/// nodes share; that each works once is seen to where their answers are.
/// </summary>
internal sealed class ClientChallenges(byte[] key, TimeProvider time)
{
    /// <summary>How long an app has to answer.</summary>
    public static readonly TimeSpan Life = TimeSpan.FromSeconds(60);

    private const int TimeBytes = 8;
    private const int RandomBytes = 16;

    /// <summary>Makes a challenge for an app.</summary>
    public (string Challenge, DateTimeOffset ExpireTime) Create(string app)
    {
        var expireTime = DateTimeOffset.FromUnixTimeSeconds((time.GetUtcNow() + Life).ToUnixTimeSeconds());
        var bytes = new byte[TimeBytes + RandomBytes + SHA256.HashSizeInBytes];
        BinaryPrimitives.WriteInt64BigEndian(bytes, expireTime.ToUnixTimeSeconds());
        RandomNumberGenerator.Fill(bytes.AsSpan(TimeBytes, RandomBytes));
        Seal(bytes.AsSpan(0, TimeBytes + RandomBytes), app, bytes.AsSpan(TimeBytes + RandomBytes));
        return (Base64Url.EncodeToString(bytes), expireTime);
    }

    /// <summary>When a challenge of ours for the app ends; null when it is none, or over.</summary>
    public DateTimeOffset? Verify(string challenge, string app)
    {
        Span<byte> bytes = stackalloc byte[TimeBytes + RandomBytes + SHA256.HashSizeInBytes];
        if (!Base64Url.TryDecodeFromChars(challenge, bytes, out var length) || length != bytes.Length)
        {
            return null;
        }

        Span<byte> seal = stackalloc byte[SHA256.HashSizeInBytes];
        Seal(bytes[..(TimeBytes + RandomBytes)], app, seal);
        if (!CryptographicOperations.FixedTimeEquals(seal, bytes[(TimeBytes + RandomBytes)..]))
        {
            return null;
        }

        var expireTime = DateTimeOffset.FromUnixTimeSeconds(BinaryPrimitives.ReadInt64BigEndian(bytes));
        return expireTime > time.GetUtcNow() ? expireTime : null;
    }

    private void Seal(ReadOnlySpan<byte> content, string app, Span<byte> seal) =>
        HMACSHA256.HashData(key, [.. content, .. Encoding.UTF8.GetBytes(app)], seal);
}
