using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;

namespace Vibe.Rpc.Rest;

/// <summary>
/// The path of a request as it was sent. The framework's own is decoded, all but <c>%2F</c>, so that it cannot tell the end of a
/// segment from a slash in it, nor <c>%2F</c> from <c>%252F</c>.
/// </summary>
internal static class RequestPath
{
    /// <summary>The path, not decoded, without the query and without the application's path base.</summary>
    public static ReadOnlySpan<char> Of(HttpRequest request)
    {
        var raw = PathOf(request.HttpContext.Features.Get<IHttpRequestFeature>()?.RawTarget);
        var prefix = request.PathBase.HasValue ? request.PathBase.ToUriComponent() : "";
        if (raw.StartsWith(prefix, StringComparison.Ordinal))
        {
            raw = raw[prefix.Length..];

            // A middleware may have rewritten the path, and the server has resolved dot segments: then the framework's path counts.
            if (!raw.Contains('%') ? raw.SequenceEqual(request.Path.Value)
                : !UrlText.TryDecode(raw, UrlPart.Segments, out var decoded) || decoded == request.Path.Value)
            {
                return raw;
            }
        }

        return request.Path.ToUriComponent();
    }

    // RFC 9112 §3.2: /path?query, or, through a proxy, http://host/path?query.
    private static ReadOnlySpan<char> PathOf(ReadOnlySpan<char> target)
    {
        var end = target.IndexOfAny('?', '#');
        var path = end < 0 ? target : target[..end];
        if (path.StartsWith('/'))
        {
            return path;
        }

        var authority = path.IndexOf("://", StringComparison.Ordinal);
        var slash = authority < 0 ? -1 : path[(authority + 3)..].IndexOf('/');
        return slash < 0 ? "/" : path[(authority + 3 + slash)..];
    }
}
