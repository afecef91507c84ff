using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Server.Kestrel.Core.Features;

namespace Vibe.Rpc.Calls;

/// <summary>Lifts Kestrel's limits on body size and data rate, which take a quiet stream for a slow-loris attack.</summary>
internal static class LongStreams
{
    public static void Allow(HttpContext http)
    {
        if (http.Features.Get<IHttpMaxRequestBodySizeFeature>() is { IsReadOnly: false } size)
        {
            size.MaxRequestBodySize = null;
        }

        if (http.Features.Get<IHttpMinRequestBodyDataRateFeature>() is { } requestRate)
        {
            requestRate.MinDataRate = null;
        }

        // HTTP/1.1 only: HTTP/2 has none per stream. Slow readers are handled per write, see SlowReaderGuard.
        if (http.Features.Get<IHttpMinResponseDataRateFeature>() is { } responseRate)
        {
            responseRate.MinDataRate = null;
        }
    }
}
