namespace Grpc.Core;

/// <summary>How a call ended: a code, and a text for developers.</summary>
public readonly struct Status
{
    private readonly string? _detail;

    /// <summary>Describes how a call ended.</summary>
    /// <param name="statusCode">The canonical code.</param>
    /// <param name="detail">A text for developers; it goes over the wire.</param>
    public Status(StatusCode statusCode, string detail)
        : this(statusCode, detail, null)
    {
    }

    /// <summary>Describes how a call ended.</summary>
    /// <param name="statusCode">The canonical code.</param>
    /// <param name="detail">A text for developers; it goes over the wire.</param>
    /// <param name="debugException">The local cause; it never goes over the wire.</param>
    public Status(StatusCode statusCode, string detail, Exception? debugException)
    {
        StatusCode = statusCode;
        _detail = detail;
        DebugException = debugException;
    }

    /// <summary>Success without a text.</summary>
    public static readonly Status DefaultSuccess = new(StatusCode.OK, "");

    /// <summary>Cancellation without a text.</summary>
    public static readonly Status DefaultCancelled = new(StatusCode.Cancelled, "");

    /// <summary>The canonical code.</summary>
    public StatusCode StatusCode { get; }

    /// <summary>A text for developers, never null.</summary>
    public string Detail => _detail ?? "";

    /// <summary>The local cause, if there is one; only for logs and debugging.</summary>
    public Exception? DebugException { get; }

    /// <inheritdoc/>
    public override string ToString() => DebugException is null
        ? $"Status(StatusCode=\"{StatusCode}\", Detail=\"{Detail}\")"
        : $"Status(StatusCode=\"{StatusCode}\", Detail=\"{Detail}\", DebugException=\"{DebugException.GetType()}: {DebugException.Message}\")";
}
