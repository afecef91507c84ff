using System.Buffers.Text;
using System.Collections.Concurrent;
using System.Globalization;
using System.IO.Compression;
using System.Text.Json.Nodes;
using Vibe.Postgres.Sessions;
using Vibe.Server.Auth.Tokens;

namespace Vibe.Server.Auth.Identity;

/// <summary>
/// Bitstring Status Lists (W3C, version 1.0): one bit for each certificate of an issuer, set when it is revoked, among enough
/// others that asking for the list does not tell which certificate is looked at. Made from the certificates when asked for, and
/// kept while nothing was revoked since.
/// </summary>
internal sealed class StatusLists(Database database, DidKeys keys, AuthOptions options, TimeProvider time)
{
    /// <summary>How many certificates a list has room for: the fewest that the specification allows.</summary>
    public const int Entries = 131_072;

    /// <summary>How long readers may remember a list.</summary>
    public static readonly TimeSpan Life = TimeSpan.FromMinutes(5);

    // Lists that readers asked for lately; a bound, not a promise.
    private const int MostKept = 1000;

    private readonly ConcurrentDictionary<Guid, (long Revoked, DateTimeOffset Made, string Token)> _made = new();

    /// <summary>A list as a signed credential; null when there is none.</summary>
    public async Task<string?> FindAsync(Guid list, CancellationToken cancellationToken)
    {
        var (issuer, revoked) = await database.Owner.QueryFirstAsync(
            $"""
            select l.issuer_did, (select count(*) from vibe.certificates c where c.list_id = l.id and c.revoke_time is not null)
            from vibe.status_lists l where l.id = {list}
            """,
            static row => (row.GetString(0), row.GetInt64(1)), cancellationToken);
        if (issuer is null)
        {
            return null;
        }

        var now = time.GetUtcNow();
        if (_made.TryGetValue(list, out var made) && made.Revoked == revoked && now - made.Made < Life)
        {
            return made.Token;
        }

        var indexes = await database.Owner.QueryAsync(
            $"select c.status_index from vibe.certificates c where c.list_id = {list} and c.revoke_time is not null",
            static row => row.GetInt32(0), cancellationToken);
        var key = await keys.FindOrCreateAsync(issuer, DidKeyPurpose.Signing, cancellationToken);
        var token = Sign(list, issuer, indexes, key, now);
        if (_made.Count >= MostKept)
        {
            _made.Clear();
        }

        _made[list] = (indexes.Count, now, token);
        return token;
    }

    /// <summary>Reads a bit of a list; null when it is no such list or the place is outside of it.</summary>
    /// <param name="encodedList">The member <c>encodedList</c>: multibase base64url of a gzip.</param>
    /// <param name="index">The place.</param>
    public static bool? Read(string encodedList, int index)
    {
        try
        {
            using var zipped = new GZipStream(new MemoryStream(Base64Url.DecodeFromChars(encodedList.AsSpan(1))), CompressionMode.Decompress);
            // What comes after the place is not unpacked: a small list may unpack to a huge one.
            var bits = new byte[(index / 8) + 1];
            return encodedList[0] == 'u' && index is >= 0 and < 16 * 1024 * 1024 && zipped.ReadAtLeast(bits, bits.Length, throwOnEndOfStream: false) == bits.Length
                ? (bits[^1] & (0x80 >> (index % 8))) != 0
                : null;
        }
        catch (Exception exception) when (exception is FormatException or InvalidDataException or ArgumentOutOfRangeException)
        {
            return null;
        }
    }

    private string Sign(Guid list, string issuer, IReadOnlyList<int> revoked, SigningKey key, DateTimeOffset now)
    {
        var address = CertificateToken.AddressOf(options, list);
        return Jws.Sign(
            key, CertificateToken.Type,
            new JsonObject
            {
                ["@context"] = new JsonArray("https://www.w3.org/ns/credentials/v2"),
                ["id"] = address,
                ["type"] = new JsonArray("VerifiableCredential", "BitstringStatusListCredential"),
                ["issuer"] = issuer,
                ["validFrom"] = now.UtcDateTime.ToString("yyyy-MM-ddTHH:mm:ssZ", CultureInfo.InvariantCulture),
                ["credentialSubject"] = new JsonObject
                {
                    ["id"] = $"{address}#list", ["type"] = "BitstringStatusList", ["statusPurpose"] = "revocation", ["encodedList"] = Encode(revoked),
                    ["ttl"] = (long)Life.TotalMilliseconds,
                },
                ["iss"] = issuer,
                ["sub"] = address,
                ["iat"] = now.ToUnixTimeSeconds(),
            },
            CertificateToken.KeyIdOf(issuer));
    }

    // Multibase: u is base64url without padding. The first bit is the highest of the first byte.
    private static string Encode(IReadOnlyList<int> revoked)
    {
        var bits = new byte[Entries / 8];
        foreach (var index in revoked)
        {
            bits[index / 8] |= (byte)(0x80 >> (index % 8));
        }

        using var zipped = new MemoryStream();
        using (var stream = new GZipStream(zipped, CompressionLevel.Optimal, leaveOpen: true))
        {
            stream.Write(bits);
        }

        return $"u{Base64Url.EncodeToString(zipped.ToArray())}";
    }
}
