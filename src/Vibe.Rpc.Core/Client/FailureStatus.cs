using System.Net.Sockets;
using Grpc.Core;

namespace Vibe.Rpc.Client;

/// <summary>What a failure of the transport means for the call.</summary>
internal static class FailureStatus
{
    private const long ProtocolError = 0x1;
    private const long RefusedStream = 0x7;
    private const long Cancel = 0x8;
    private const long EnhanceYourCalm = 0xB;
    private const long InadequateSecurity = 0xC;

    /// <summary>The status of a call that ended with an exception instead of one.</summary>
    public static Status From(Exception exception) => exception switch
    {
        RpcException failed => failed.Status,
        OperationCanceledException { InnerException: TimeoutException timeout } => new(StatusCode.Unavailable, timeout.Message, exception),

        // Not the caller's cancellation: that has ended the call before anything here was cancelled.
        OperationCanceledException => new(StatusCode.Unavailable, "The transport gave the call up.", exception),
        _ => new(CodeOf(exception), "The call failed: " + Describe(exception), exception),
    };

    /// <summary>Whether no connection could be opened, so that the server never saw the call.</summary>
    public static bool IsConnectFailure(Exception exception) =>
        exception is OperationCanceledException { InnerException: TimeoutException } or HttpRequestException
        {
            HttpRequestError: HttpRequestError.ConnectionError or HttpRequestError.NameResolutionError
                or HttpRequestError.SecureConnectionError or HttpRequestError.ProxyTunnelError,
        };

    /// <summary>Whether the server said that it did not look at the call.</summary>
    public static bool IsRefused(Exception exception) => Find<HttpProtocolException>(exception)?.ErrorCode == RefusedStream;

    /// <summary>Whether the server reset the stream with CANCEL, which is what a server does when the deadline passed there first.</summary>
    public static bool IsResetByCancel(Exception exception) => Find<HttpProtocolException>(exception)?.ErrorCode == Cancel;

    // gRPC over HTTP/2, "Errors".
    private static StatusCode CodeOf(Exception exception)
    {
        if (Find<HttpProtocolException>(exception) is { } reset)
        {
            return reset.ErrorCode switch
            {
                RefusedStream => StatusCode.Unavailable,
                ProtocolError when IsPingTimeout(reset) => StatusCode.Unavailable,
                Cancel => StatusCode.Cancelled,
                EnhanceYourCalm => StatusCode.ResourceExhausted,
                InadequateSecurity => StatusCode.PermissionDenied,
                _ => StatusCode.Internal,
            };
        }

        return IsConnectFailure(exception) || Find<SocketException>(exception) is not null || Find<IOException>(exception) is not null
            ? StatusCode.Unavailable
            : StatusCode.Internal;
    }

    // The handler reports a ping without an answer as a PROTOCOL_ERROR, which would be INTERNAL; only the text, or its resource key in a
    // trimmed program, tells them apart. The gRPC status codes say UNAVAILABLE for it, and that is what callers retry.
    private static bool IsPingTimeout(HttpProtocolException exception) =>
        exception.Message.Contains("ping", StringComparison.OrdinalIgnoreCase);

    private static T? Find<T>(Exception? exception)
        where T : Exception
    {
        while (exception is not (null or T))
        {
            exception = exception.InnerException;
        }

        return exception as T;
    }

    private static string Describe(Exception exception)
    {
        var innermost = exception;
        while (innermost.InnerException is { } inner)
        {
            innermost = inner;
        }

        return innermost == exception ? exception.Message : exception.Message + " " + innermost.Message;
    }
}
