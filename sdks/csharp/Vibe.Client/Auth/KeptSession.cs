using System.Text.Json;

namespace Vibe.Client.Auth;

/// <summary>A session as it is kept between runs.</summary>
internal sealed record KeptSession
{
    public required string Did { get; init; }

    public required string Handle { get; init; }

    public required string Name { get; init; }

    public required string Scope { get; init; }

    public required string AccessToken { get; init; }

    public required DateTimeOffset UseUntil { get; init; }

    /// <summary>Null when the person did not allow staying signed in, and once the session has ended.</summary>
    public string? RefreshToken { get; init; }

    /// <summary>The private half of the key its tokens are bound to; null for bearer tokens.</summary>
    public byte[]? Key { get; init; }

    public bool IsExpired { get; init; }

    public byte[] ToBytes() => JsonSerializer.SerializeToUtf8Bytes(this);

    /// <summary>A kept session; null when it is none that this version reads: signing in again makes one.</summary>
    public static KeptSession? Read(byte[]? bytes)
    {
        try
        {
            return bytes is null ? null : JsonSerializer.Deserialize<KeptSession>(bytes);
        }
        catch (JsonException)
        {
            return null;
        }
    }

    public VibeSession ToSession() => new(Did, Handle, Name, Scope.Split(' ', StringSplitOptions.RemoveEmptyEntries), IsExpired);
}
