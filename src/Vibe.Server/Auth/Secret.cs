using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;
using Vibe.Postgres.Sessions;

namespace Vibe.Server.Auth;

/// <summary>Secrets of 256 random bits as text, and the hashes that are kept of them.</summary>
internal static class Secret
{
    /// <summary>A new one: 43 characters of base64url.</summary>
    public static string New() => Base64Url.EncodeToString(RandomNumberGenerator.GetBytes(32));

    /// <summary>What the database keeps. No salt: there is nothing to guess in 256 random bits.</summary>
    public static Bytea Hash(string secret) => new(SHA256.HashData(Encoding.UTF8.GetBytes(secret)));
}
