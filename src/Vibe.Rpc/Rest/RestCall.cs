using System.Buffers;
using System.Globalization;
using Google.Protobuf;
using Grpc.Core;
using Microsoft.AspNetCore.Http;
using Vibe.Rpc.Calls;
using Vibe.Rpc.Wire;
using Status = Grpc.Core.Status;

namespace Vibe.Rpc.Rest;

/// <summary>A call that came as an ordinary HTTP request, by a <c>google.api.http</c> binding.</summary>
internal abstract class RestCall(HttpContext http, RestRoute route, RestVariables variables) : RpcCall(http, route.Method)
{
    // The header by which Google's proxies, and Envoy's transcoder, let a REST client say how long it waits: seconds.
    private const string TimeoutHeader = "X-Server-Timeout";

    private bool _isRead;
    private int? _httpStatus;

    protected RestServer Server => route.Server;

    protected internal override string ProtocolName => "http";

    protected HttpResponse Response => HttpContext.Response;

    /// <summary>Runs the call that a request asks for.</summary>
    public static async Task RunAsync(HttpContext http, RestRoute route)
    {
        var variables = http.Features.Get<RestVariables>() ?? RestVariables.None;
        if (!route.Method.ServerStreams)
        {
            await new RestUnaryCall(http, route, variables).RunAsync();
            return;
        }

        await using var stream = new RestStreamCall(http, route, variables, RestStreamFormat.Of(http.Request));
        await stream.RunAsync();
    }

    protected override TimeSpan? Open()
    {
        if (HttpContext.Request.Headers[TimeoutHeader] is not [{ } text, ..])
        {
            return null;
        }

        return double.TryParse(text, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var seconds)
            && seconds <= TimeSpan.MaxValue.TotalSeconds / 2
            ? TimeSpan.FromSeconds(seconds)
            : throw WireErrors.MalformedHeader(TimeoutHeader);
    }

    protected override async ValueTask<IMessage?> ReadMessageAsync(CancellationToken cancellationToken)
    {
        if (_isRead)
        {
            return null;
        }

        _isRead = true;
        var request = RpcMethod.NewRequest();
        try
        {
            await RestBody.ReadAsync(
                this,
                (in body) =>
                {
                    Counters.BytesReceived += body.Length;
                    Server.Binder.Bind(route.Binding, variables.Values, HttpContext.Request.QueryString.Value, body, request);
                },
                cancellationToken);
        }
        catch (RestRequestException e)
        {
            _httpStatus = e.HttpStatus;
            throw;
        }

        return request;
    }

    /// <summary>Serializes a message, or the field of it that the binding answers with.</summary>
    /// <exception cref="RpcException">It is larger than the limit.</exception>
    protected void Serialize(IMessage message, PooledBuffer buffer)
    {
        if (route.Binding.ResponseField is { } field)
        {
            Server.Json.WriteField(message, field, buffer);
        }
        else
        {
            Server.Messages.Write(message, buffer);
        }

        if (buffer.Length > RpcMethod.Options.MaxSendMessageSize)
        {
            throw WireErrors.ResponseTooLarge(RpcMethod.Options.MaxSendMessageSize.Value);
        }

        Counters.BytesSent += buffer.Length;
    }

    /// <summary>Answers with an error. Only while the response has not started.</summary>
    protected async ValueTask WriteErrorAsync(Status status, Metadata? trailers)
    {
        var code = _httpStatus ?? status.StatusCode.ToHttpStatus();
        Response.StatusCode = code;
        Response.ContentType = "application/json";
        ResponseMetadata.AddTo(trailers, Response.Headers);
        RestErrorHeaders.Add(Response, code, trailers);
        using var buffer = new PooledBuffer();
        Server.Errors.Write(code, status, trailers, buffer);
        await WriteBodyAsync(buffer.WrittenMemory);
    }

    /// <summary>Writes a whole body, of which nothing is kept; for a HEAD request only its length.</summary>
    protected ValueTask WriteBodyAsync(ReadOnlyMemory<byte> body)
    {
        Response.ContentLength = body.Length;
        if (HttpMethods.IsHead(HttpContext.Request.Method))
        {
            return default;
        }

        // The end of the request sends it: one flush for headers, body and end.
        ResponseBody.Pipe.Write(body.Span);
        return body.Length >= LargeAnswer ? ResponseBody.FlushAsync(CancellationToken.None) : default;
    }
}
