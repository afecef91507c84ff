using Google.Protobuf.WellKnownTypes;
using Vibe.Auth.V1;
using Vibe.Postgres.Sessions;
using Vibe.Rpc.Json;

namespace Vibe.Server.Auth.Identity;

/// <summary>A certificate as it is stored.</summary>
internal sealed record CertificateRow
{
    /// <summary>The columns of a row <c>c</c> that <see cref="Read"/> expects, in its order.</summary>
    public static readonly Sql Columns = $"""
        c.id, c.issuer_did, c.subject_did, c.type, c.claims, coalesce(c.key_thumbprint, ''), c.token, c.create_time, c.expire_time, c.revoke_time
        """;

    public required Guid Id { get; init; }

    public required string Issuer { get; init; }

    public required string Subject { get; init; }

    public required string Type { get; init; }

    /// <summary>A JSON object.</summary>
    public required ReadOnlyMemory<byte> Claims { get; init; }

    public required string KeyThumbprint { get; init; }

    public string Token { get; init; } = "";

    public required DateTimeOffset CreateTime { get; init; }

    public required DateTimeOffset? ExpireTime { get; init; }

    public DateTimeOffset? RevokeTime { get; init; }

    /// <summary>Reads a row of <see cref="Columns"/>.</summary>
    public static CertificateRow Read(Row row) => new()
    {
        Id = row.GetGuid(0),
        Issuer = row.GetString(1),
        Subject = row.GetString(2),
        Type = row.GetString(3),
        Claims = row.GetJson(4),
        KeyThumbprint = row.GetString(5),
        Token = row.GetString(6),
        CreateTime = row.GetTimestamp(7),
        ExpireTime = row.GetTimestampOrNull(8),
        RevokeTime = row.GetTimestampOrNull(9),
    };

    /// <summary>As the contract shows it.</summary>
    public Certificate ToProto() => new()
    {
        Id = Id.ToString(),
        Issuer = Issuer,
        Subject = Subject,
        Type = Type,
        Claims = StructJson.ToStruct(Claims.Span),
        KeyThumbprint = KeyThumbprint,
        Token = Token,
        CreateTime = Timestamp.FromDateTimeOffset(CreateTime),
        ExpireTime = ExpireTime is { } end ? Timestamp.FromDateTimeOffset(end) : null,
        RevokeTime = RevokeTime is { } revoked ? Timestamp.FromDateTimeOffset(revoked) : null,
    };
}
