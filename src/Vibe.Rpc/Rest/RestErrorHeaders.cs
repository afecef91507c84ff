using System.Globalization;
using Google.Rpc;
using Grpc.Core;
using Microsoft.AspNetCore.Http;
using Vibe.Rpc.Calls;
using Vibe.Rpc.Wire;

namespace Vibe.Rpc.Rest;

/// <summary>The headers that an HTTP error asks for.</summary>
internal static class RestErrorHeaders
{
    /// <summary>Adds them.</summary>
    public static void Add(HttpResponse response, int httpStatus, Metadata? trailers)
    {
        switch (httpStatus)
        {
            // RFC 9110 §15.5.2: a 401 names a challenge. One of the application's own goes first.
            case StatusCodes.Status401Unauthorized when response.Headers.WWWAuthenticate.Count == 0:
                response.Headers.WWWAuthenticate = "Bearer";
                break;
            case StatusCodes.Status415UnsupportedMediaType:
                response.Headers.Accept = "application/json";
                response.Headers.AcceptEncoding = Gzip.Name;
                break;
            case StatusCodes.Status429TooManyRequests or StatusCodes.Status503ServiceUnavailable when response.Headers.RetryAfter.Count == 0
                && ResponseMetadata.ReadDetails(trailers)?.GetDetail<RetryInfo>()?.RetryDelay is { } delay:
                response.Headers.RetryAfter = Math.Max(0, delay.Seconds + (delay.Nanos > 0 ? 1 : 0)).ToString(CultureInfo.InvariantCulture);
                break;
        }
    }
}
