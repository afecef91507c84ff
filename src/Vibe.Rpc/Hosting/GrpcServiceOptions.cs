using System.IO.Compression;

// The official package's namespace: code written for it compiles unchanged.
namespace Grpc.AspNetCore.Server;

/// <summary>
/// Options of all services, or, as <see cref="GrpcServiceOptions{TService}"/>, of one. A service's options start as a copy of the
/// global ones.
/// </summary>
public class GrpcServiceOptions
{
    /// <summary>The default of <see cref="MaxReceiveMessageSize"/>: 4 MiB.</summary>
    public const int DefaultMaxReceiveMessageSize = 4 * 1024 * 1024;

    /// <summary>
    /// Largest request message in bytes, after decompression; null for no limit. Default 4 MiB. A larger one fails with
    /// RESOURCE_EXHAUSTED before it is buffered, and a compressed one as soon as it inflates beyond the limit.
    /// </summary>
    public int? MaxReceiveMessageSize { get; set; } = DefaultMaxReceiveMessageSize;

    /// <summary>Largest response message in bytes, before compression; null (default) for no limit. A larger one fails with RESOURCE_EXHAUSTED.</summary>
    public int? MaxSendMessageSize { get; set; }

    /// <summary>
    /// Whether the text of an unexpected exception is sent to the client. Default null, which is false: exception texts tell
    /// strangers about the inside. Only for development.
    /// </summary>
    public bool? EnableDetailedErrors { get; set; }

    /// <summary>
    /// Compression of responses: <c>gzip</c>, or null (default) for none. Applied when the client accepts it, the message has at
    /// least <see cref="ResponseCompressionMinimumBytes"/>, and the handler did not set <c>WriteFlags.NoCompress</c>.
    /// </summary>
    public string? ResponseCompressionAlgorithm { get; set; }

    /// <summary>How hard to compress; null (default) for <see cref="CompressionLevel.Fastest"/>.</summary>
    public CompressionLevel? ResponseCompressionLevel { get; set; }

    /// <summary>Size in bytes below which a response message is not worth compressing. Default 1 KiB.</summary>
    public int ResponseCompressionMinimumBytes { get; set; } = 1024;

    /// <summary>Interceptors of every call, the first added being the outermost.</summary>
    public InterceptorCollection Interceptors { get; } = [];

    internal void CopyTo(GrpcServiceOptions target)
    {
        target.MaxReceiveMessageSize = MaxReceiveMessageSize;
        target.MaxSendMessageSize = MaxSendMessageSize;
        target.EnableDetailedErrors = EnableDetailedErrors;
        target.ResponseCompressionAlgorithm = ResponseCompressionAlgorithm;
        target.ResponseCompressionLevel = ResponseCompressionLevel;
        target.ResponseCompressionMinimumBytes = ResponseCompressionMinimumBytes;
        target.Interceptors.AddRange(Interceptors);
    }
}

/// <summary>Options of one service. Its interceptors run inside the global ones.</summary>
/// <typeparam name="TService">The class given to <c>MapGrpcService</c>.</typeparam>
public sealed class GrpcServiceOptions<TService> : GrpcServiceOptions
    where TService : class;
