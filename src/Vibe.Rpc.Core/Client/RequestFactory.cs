using System.Globalization;
using System.Net;
using System.Runtime.InteropServices;
using Grpc.Core;
using Vibe.Rpc.Wire;

namespace Vibe.Rpc.Client;

/// <summary>Builds the HTTP request of one attempt.</summary>
internal static class RequestFactory
{
    /// <summary>Metadata with which a caller asks for compression of one call, as with the official client; it is not sent.</summary>
    public const string RequestEncoding = "grpc-internal-encoding-request";

    private static readonly string UserAgent = string.Create(
        CultureInfo.InvariantCulture,
        $"grpc-dotnet-vibe/{typeof(RequestFactory).Assembly.GetName().Version} ({RuntimeInformation.FrameworkDescription})");

    /// <summary>Builds a request.</summary>
    /// <param name="call">What is called.</param>
    /// <param name="content">The request messages.</param>
    /// <param name="timeout">The time left; null for no limit.</param>
    /// <param name="previousAttempts">How often it was tried before.</param>
    /// <param name="cancellationToken">Fires when the call ends; credentials are told.</param>
    public static async ValueTask<HttpRequestMessage> CreateAsync(
        CallDescription call, HttpContent content, TimeSpan? timeout, int previousAttempts, CancellationToken cancellationToken)
    {
        var request = new HttpRequestMessage(HttpMethod.Post, call.Route.Url)
        {
            Version = HttpVersion.Version20,
            VersionPolicy = HttpVersionPolicy.RequestVersionExact,
            Content = content,
        };
        var headers = request.Headers;
        headers.TryAddWithoutValidation("te", "trailers");
        headers.TryAddWithoutValidation(MetadataHeaders.AcceptEncoding, "identity,gzip");
        if (call.Compress)
        {
            headers.TryAddWithoutValidation(MetadataHeaders.Encoding, Gzip.Name);
        }

        if (timeout is { } left)
        {
            headers.TryAddWithoutValidation(MetadataHeaders.Timeout, RpcTimeout.FormatGrpc(left));
        }

        if (previousAttempts > 0)
        {
            headers.TryAddWithoutValidation(
                MetadataHeaders.PreviousAttempts, previousAttempts.ToString(CultureInfo.InvariantCulture));
        }

        headers.Host = call.Host;
        Add(request, call.Metadata);
        foreach (var credentials in call.Credentials)
        {
            var metadata = new Metadata();
            var context = new AuthInterceptorContext(call.Route.ServiceUrl, call.Route.MethodName, cancellationToken);
            await AskAsync(credentials, context, metadata).ConfigureAwait(false);
            Add(request, [.. metadata]);
        }

        if (!headers.Contains("user-agent"))
        {
            headers.TryAddWithoutValidation("user-agent", UserAgent);
        }

        return request;
    }

    private static async Task AskAsync(AsyncAuthInterceptor credentials, AuthInterceptorContext context, Metadata metadata)
    {
        try
        {
            await credentials(context, metadata).ConfigureAwait(false);
        }
        catch (Exception exception) when (exception is not (RpcException or OperationCanceledException))
        {
            throw new RpcException(new Status(StatusCode.Unauthenticated, "The call's credentials could not be fetched.", exception));
        }
    }

    private static void Add(HttpRequestMessage request, Metadata.Entry[] metadata)
    {
        foreach (var entry in metadata)
        {
            if (!MetadataHeaders.IsReserved(entry.Key) && entry.Key != RequestEncoding)
            {
                request.Headers.TryAddWithoutValidation(entry.Key, MetadataHeaders.WireValue(entry));
            }
        }
    }
}
