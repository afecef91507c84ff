using System.Net.Mime;
using Microsoft.Extensions.Primitives;
using Microsoft.Net.Http.Headers;

namespace Vibe.Server.Auth.OAuth;

/// <summary>
/// The parameters of a request (RFC 6749 sections 3.1 and 3.2): each at most once, an empty one is none, unknown ones are
/// nobody's business.
/// </summary>
internal sealed class Parameters
{
    private const int MaxCount = 64;
    private const int MaxValueLength = 8192;
    private const int MaxBodyBytes = 64 * 1024;

    private readonly Dictionary<string, string> _values;

    /// <summary>Holds parameters that were read elsewhere; null ones are left out.</summary>
    public Parameters(IEnumerable<KeyValuePair<string, string?>> values) =>
        _values = values.Where(static pair => !string.IsNullOrEmpty(pair.Value)).ToDictionary(pair => pair.Key, pair => pair.Value!, StringComparer.Ordinal);

    /// <summary>The value of a parameter, null when it was not sent.</summary>
    public string? this[string name] => _values.GetValueOrDefault(name);

    /// <summary>The value of a parameter that must be there.</summary>
    /// <exception cref="OAuthError">invalid_request.</exception>
    public string Require(string name) => this[name] ?? throw OAuthError.InvalidRequest($"The parameter {name} is missing.");

    /// <summary>The parameters of the address.</summary>
    /// <exception cref="OAuthError">invalid_request: one is there twice, or too long.</exception>
    public static Parameters OfQuery(HttpRequest request) => Read(request.Query);

    /// <summary>The parameters of a posted form.</summary>
    /// <exception cref="OAuthError">invalid_request: there is no form, one is there twice, or too long.</exception>
    public static async Task<Parameters> OfFormAsync(HttpRequest request, CancellationToken cancellationToken)
    {
        if (!MediaTypeHeaderValue.TryParse(request.ContentType, out var type)
            || !type.MediaType.Equals(MediaTypeNames.Application.FormUrlEncoded, StringComparison.OrdinalIgnoreCase))
        {
            throw OAuthError.InvalidRequest("The request has no form: send it as Content-Type: application/x-www-form-urlencoded.");
        }

        try
        {
            var form = await request.ReadFormAsync(
                new Microsoft.AspNetCore.Http.Features.FormOptions { BufferBodyLengthLimit = MaxBodyBytes, KeyLengthLimit = 256, ValueLengthLimit = MaxBodyBytes, ValueCountLimit = MaxCount },
                cancellationToken);
            return Read(form);
        }
        catch (Exception exception) when (exception is InvalidDataException or BadHttpRequestException)
        {
            throw OAuthError.InvalidRequest("The form is too large, or is none.");
        }
    }

    private static Parameters Read(IEnumerable<KeyValuePair<string, StringValues>> pairs)
    {
        var values = new Dictionary<string, string?>(StringComparer.Ordinal);
        foreach (var (name, all) in pairs)
        {
            // ASP.NET Core takes names that differ in case for one; that makes two values of them, and no harm.
            if (all.Count > 1)
            {
                throw OAuthError.InvalidRequest($"The parameter {Shown(name)} is there more than once.");
            }

            if (all.ToString() is { Length: > MaxValueLength } || all.ToString().Contains('\0', StringComparison.Ordinal))
            {
                throw OAuthError.InvalidRequest($"The parameter {Shown(name)} is too long, or has a character that has no place there.");
            }

            values[name] = all.ToString();
        }

        return values.Count <= MaxCount ? new Parameters(values) : throw OAuthError.InvalidRequest("There are too many parameters.");
    }

    // What an error says of a name goes into a JSON answer and a page.
    private static string Shown(string name) => new([.. name.Where(static character => char.IsAsciiLetterOrDigit(character) || character is '_' or '-').Take(64)]);
}
