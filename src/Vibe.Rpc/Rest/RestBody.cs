using System.Buffers;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Net.Http.Headers;
using Vibe.Rpc.Calls;
using Vibe.Rpc.Wire;

namespace Vibe.Rpc.Rest;

/// <summary>Reads the body of a REST request: one JSON text of limited size, or nothing.</summary>
internal static class RestBody
{
    /// <summary>Takes the whole body while it lasts.</summary>
    public delegate void Consumer(in ReadOnlySequence<byte> body);

    /// <summary>Reads the body to its end and hands it over, inflated.</summary>
    /// <param name="call">The call.</param>
    /// <param name="consumer">Called once, also for an empty body.</param>
    /// <param name="cancellationToken">Gives up the read.</param>
    /// <exception cref="RestRequestException">The body is larger than the call's limit, or of another type or encoding.</exception>
    /// <exception cref="Grpc.Core.RpcException">The body is no gzip.</exception>
    public static async ValueTask ReadAsync(RestCall call, Consumer consumer, CancellationToken cancellationToken)
    {
        var request = call.HttpContext.Request;
        if (call.HttpContext.Features.Get<IHttpRequestBodyDetectionFeature>() is { CanHaveBody: false })
        {
            consumer(default);
            return;
        }

        var limit = call.MaxRequestBytes;
        if (request.ContentLength > limit)
        {
            throw TooLarge(limit);
        }

        while (true)
        {
            var result = await call.RequestBody.ReadAsync(cancellationToken);
            var consumed = result.Buffer.End;
            try
            {
                if (result.Buffer.Length > limit)
                {
                    throw TooLarge(limit);
                }

                if (result.IsCompleted)
                {
                    Consume(request, result.Buffer, limit, consumer);
                    return;
                }

                consumed = result.Buffer.Start;
            }
            finally
            {
                // Also on the way out: an open read would break the next request on the connection.
                call.RequestBody.Pipe.AdvanceTo(consumed, result.Buffer.End);
            }
        }
    }

    private static void Consume(HttpRequest request, in ReadOnlySequence<byte> body, int limit, Consumer consumer)
    {
        if (body.IsEmpty)
        {
            consumer(body);
            return;
        }

        if (!IsJson(request.ContentType))
        {
            throw new RestRequestException(StatusCodes.Status415UnsupportedMediaType, RestErrors.UnsupportedMediaType());
        }

        if (request.Headers.ContentEncoding is { Count: > 0 } encodings && encodings.ToString() is { Length: > 0 } encoding
            && !encoding.Equals("identity", StringComparison.OrdinalIgnoreCase))
        {
            if (!encoding.Equals(Gzip.Name, StringComparison.OrdinalIgnoreCase))
            {
                throw new RestRequestException(StatusCodes.Status415UnsupportedMediaType, RestErrors.UnsupportedEncoding());
            }

            using var inflated = new PooledBuffer();
            switch (Gzip.Inflate(body, limit, inflated))
            {
                case InflateResult.TooLarge:
                    throw TooLarge(limit);
                case InflateResult.Corrupt:
                    throw WireErrors.MalformedMessage("The body is not valid gzip.");
            }

            consumer(new(inflated.WrittenMemory));
            return;
        }

        consumer(body);
    }

    private static bool IsJson(string? contentType) =>
        contentType is "application/json"
        || (MediaTypeHeaderValue.TryParse(contentType, out var type)
            && type.MediaType.Equals("application/json", StringComparison.OrdinalIgnoreCase)
            && (!type.Charset.HasValue || HeaderUtilities.RemoveQuotes(type.Charset).Equals("utf-8", StringComparison.OrdinalIgnoreCase)));

    private static RestRequestException TooLarge(int limit) =>
        new(StatusCodes.Status413PayloadTooLarge, WireErrors.MessageTooLarge(limit));
}
