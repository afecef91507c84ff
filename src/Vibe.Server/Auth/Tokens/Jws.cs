using System.Buffers.Text;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Vibe.Server.Auth.Tokens;

/// <summary>
/// A compact JWS (RFC 7515) taken apart, strictly: three parts with one spelling each, no field twice, no extension that the
/// sender calls critical. Its signature is not checked yet.
/// </summary>
internal sealed class Jws : IDisposable
{
    /// <summary>The largest one looked at, in bytes.</summary>
    public const int MaxBytes = 8192;

    /// <summary>How deep the JSON in a token may be nested.</summary>
    public const int MaxDepth = 16;

    private static readonly JsonDocumentOptions Strict = new() { MaxDepth = MaxDepth, AllowDuplicateProperties = false };

    // `at+jwt` stays readable: nothing here goes into HTML.
    private static readonly JsonSerializerOptions Compact = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    private readonly JsonDocument _header;
    private readonly JsonDocument _payload;
    private readonly byte[] _signature;
    private readonly byte[] _signed;

    private Jws(JsonDocument header, JsonDocument payload, byte[] signature, byte[] signed) =>
        (_header, _payload, _signature, _signed) = (header, payload, signature, signed);

    /// <summary>The protected header.</summary>
    public JsonElement Header => _header.RootElement;

    /// <summary>The claims.</summary>
    public JsonElement Claims => _payload.RootElement;

    /// <summary>Takes a token apart; null when it is none.</summary>
    /// <param name="token">The token.</param>
    /// <param name="maxBytes">The largest one looked at.</param>
    public static Jws? Parse(string token, int maxBytes = MaxBytes)
    {
        if (token.Length > maxBytes || !Ascii.IsValid(token) || token.Split('.') is not [var header, var payload, var signature])
        {
            return null;
        }

        JsonDocument? fields = null, claims = null;
        try
        {
            fields = JsonDocument.Parse(Decode(header), Strict);
            claims = JsonDocument.Parse(Decode(payload), Strict);
            if (fields.RootElement.ValueKind == JsonValueKind.Object && claims.RootElement.ValueKind == JsonValueKind.Object
                && IsText(fields.RootElement) && IsText(claims.RootElement) && !fields.RootElement.TryGetProperty("crit", out _))
            {
                return new Jws(fields, claims, Decode(signature), Encoding.ASCII.GetBytes(token, 0, header.Length + 1 + payload.Length));
            }
        }
        catch (Exception exception) when (exception is FormatException or JsonException or InvalidOperationException)
        {
            // Not a token.
        }

        fields?.Dispose();
        claims?.Dispose();
        return null;
    }

    /// <summary>Signs claims.</summary>
    /// <param name="key">The key.</param>
    /// <param name="type">What the token is.</param>
    /// <param name="claims">What it says.</param>
    /// <param name="keyId">What the key is called, when not by its own id.</param>
    public static string Sign(SigningKey key, string type, JsonObject claims, string? keyId = null)
    {
        var header = new JsonObject { ["alg"] = key.Algorithm, ["typ"] = type, ["kid"] = keyId ?? key.Id };
        var signed = $"{Encode(header)}.{Encode(claims)}";
        return $"{signed}.{Base64Url.EncodeToString(key.Sign(Encoding.UTF8.GetBytes(signed)))}";

        static string Encode(JsonObject json) => Base64Url.EncodeToString(Encoding.UTF8.GetBytes(json.ToJsonString(Compact)));
    }

    /// <summary>Whether the signature is this key's; the algorithm is the key's, never the token's choice.</summary>
    public bool IsSignedBy(VerificationKey key) => HeaderText("alg") == key.Algorithm && key.Verify(_signed, _signature);

    /// <summary>A text field of the header, null when it is absent or something else.</summary>
    public string? HeaderText(string name) => Text(Header, name);

    /// <summary>A text claim, null when it is absent or something else.</summary>
    public string? ClaimText(string name) => Text(Claims, name);

    /// <summary>A claim that is a NumericDate, null when it is absent or something else.</summary>
    public DateTimeOffset? ClaimTime(string name) =>
        Claims.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.Number
            && value.TryGetDouble(out var seconds) && seconds is >= 0 and < 253_402_300_800
            ? DateTimeOffset.FromUnixTimeSeconds((long)seconds)
            : null;

    /// <summary>Whether a claim is there, whatever its form.</summary>
    public bool HasClaim(string name) => Claims.TryGetProperty(name, out _);

    /// <inheritdoc/>
    public void Dispose()
    {
        _header.Dispose();
        _payload.Dispose();
    }

    // The parser leaves the inside of strings alone; reading one that is no UTF-8, or has half a surrogate pair, fails.
    private static bool IsText(JsonElement value) => value.ValueKind switch
    {
        JsonValueKind.String => value.GetString() is not null,
        JsonValueKind.Object => value.EnumerateObject().All(static field => field.Name is not null && IsText(field.Value)),
        JsonValueKind.Array => value.EnumerateArray().All(IsText),
        _ => true,
    };

    private static string? Text(JsonElement fields, string name) =>
        fields.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.String ? value.GetString() : null;

    // The decoder lets white space, padding and stray bits at the end pass (RFC 7515 section 2 has none of them): one token, one text.
    private static byte[] Decode(string part)
    {
        var bytes = Base64Url.DecodeFromChars(part);
        return Base64Url.EncodeToString(bytes) == part ? bytes : throw new FormatException();
    }
}
