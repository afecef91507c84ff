using Google.Protobuf;
using Google.Protobuf.WellKnownTypes;
using Google.Rpc;
using Grpc.Core;
using Vibe.Rpc.Wire;
using RpcStatus = Google.Rpc.Status;

namespace Vibe.Rpc;

/// <summary>
/// Failed calls with details a program can act on. The details travel as a google.rpc.Status in the trailer
/// <c>grpc-status-details-bin</c>, or in the error body of Connect and REST.
/// </summary>
public static class RpcErrors
{
    /// <summary>A failed call with any details.</summary>
    /// <param name="code">The canonical code; not OK.</param>
    /// <param name="message">A text for developers, in English.</param>
    /// <param name="details">Messages such as <see cref="ErrorInfo"/> and <see cref="BadRequest"/>.</param>
    public static RpcException Create(StatusCode code, string message, params ReadOnlySpan<IMessage> details)
    {
        if (code == StatusCode.OK)
        {
            throw new ArgumentException("A failed call needs another code than OK.", nameof(code));
        }

        ArgumentNullException.ThrowIfNull(message);
        var status = new RpcStatus { Code = (int)code, Message = message };
        foreach (var detail in details)
        {
            status.Details.Add(Any.Pack(detail));
        }

        return status.ToRpcException();
    }

    /// <summary>A failed call with a machine-readable reason.</summary>
    /// <param name="code">The canonical code; not OK.</param>
    /// <param name="message">A text for developers, in English.</param>
    /// <param name="reason">What went wrong, as <c>UPPER_SNAKE_CASE</c>; unique within the domain.</param>
    /// <param name="domain">Who defines the reason, for example <c>vibe.dev</c>.</param>
    /// <param name="metadata">What the reason is about; never secrets. Null for nothing.</param>
    /// <param name="details">Further messages such as <see cref="BadRequest"/>.</param>
    public static RpcException Create(
        StatusCode code,
        string message,
        string reason,
        string domain,
        IEnumerable<KeyValuePair<string, string>>? metadata = null,
        params ReadOnlySpan<IMessage> details)
    {
        var info = new ErrorInfo { Reason = reason, Domain = domain };
        foreach (var (key, value) in metadata ?? [])
        {
            info.Metadata.Add(key, value);
        }

        return Create(code, message, [info, .. details]);
    }

    /// <summary>A field violation of a <see cref="BadRequest"/>.</summary>
    /// <param name="field">The path of the field, in JSON names: <c>message.children[2].displayName</c>.</param>
    /// <param name="description">What is wrong with it.</param>
    public static BadRequest.Types.FieldViolation Violation(string field, string description) =>
        new() { Field = field, Description = description };

    /// <summary>The exception that carries a status.</summary>
    /// <param name="status">The status; its code is not OK.</param>
    public static RpcException ToRpcException(this RpcStatus status)
    {
        ArgumentNullException.ThrowIfNull(status);
        var trailers = new Metadata { { MetadataHeaders.StatusDetails, status.ToByteArray() } };
        return new RpcException(new Grpc.Core.Status((StatusCode)status.Code, status.Message), trailers);
    }

    /// <summary>The status with its details that a failed call carries; null when it has none, or one that cannot be read.</summary>
    /// <param name="exception">The failed call.</param>
    public static RpcStatus? GetRpcStatus(this RpcException exception)
    {
        ArgumentNullException.ThrowIfNull(exception);
        if (exception.Trailers.Get(MetadataHeaders.StatusDetails) is not { } entry)
        {
            return null;
        }

        try
        {
            return RpcStatus.Parser.ParseFrom(entry.Bytes);
        }
        catch (InvalidProtocolBufferException)
        {
            // The trailer is a peer's: details that cannot be read must not hide the status itself.
            return null;
        }
    }

    /// <summary>The reason that a failed call carries; null when it has none.</summary>
    /// <param name="exception">The failed call.</param>
    public static ErrorInfo? GetErrorInfo(this RpcException exception) => exception.GetRpcStatus()?.GetDetail<ErrorInfo>();

    /// <summary>The first detail of a type; null when there is none.</summary>
    /// <typeparam name="T">The detail's type.</typeparam>
    /// <param name="status">The status.</param>
    public static T? GetDetail<T>(this RpcStatus status)
        where T : class, IMessage<T>, new()
    {
        ArgumentNullException.ThrowIfNull(status);
        foreach (var detail in status.Details)
        {
            try
            {
                if (detail.TryUnpack<T>(out var unpacked))
                {
                    return unpacked;
                }
            }
            catch (InvalidProtocolBufferException)
            {
                // As above: skip what a peer garbled.
            }
        }

        return null;
    }
}
