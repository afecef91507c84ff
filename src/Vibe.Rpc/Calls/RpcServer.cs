using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Vibe.Rpc.Hosting;
using Vibe.Rpc.Json;
using Vibe.Rpc.Protocols;
using Vibe.Rpc.Telemetry;

namespace Vibe.Rpc.Calls;

/// <summary>What all calls of one application share.</summary>
internal sealed class RpcServer(
    TimeProvider time,
    CallDrain drain,
    JsonCodec json,
    RpcTelemetry telemetry,
    IOptions<RpcServerLimits> limits,
    ILoggerFactory loggers)
{
    public TimeProvider Time => time;

    public CallDrain Drain => drain;

    public JsonCodec Json => json;

    /// <summary>The JSON codec as the protocols use it.</summary>
    public JsonMessageCodec JsonMessages { get; } = new(json);

    public RpcTelemetry Telemetry => telemetry;

    public TimeSpan WriteTimeout { get; } = limits.Value.WriteTimeout;

    /// <summary>What requests hold while they arrive and are served.</summary>
    public RequestMemory RequestMemory { get; } = new(limits.Value.MaxBufferedRequestBytes);

    public ILogger Log { get; } = loggers.CreateLogger("Vibe.Rpc.Server");
}
