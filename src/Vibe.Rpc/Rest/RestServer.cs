using Microsoft.Extensions.Options;
using Vibe.Rpc.Json;
using Vibe.Rpc.Protocols;

namespace Vibe.Rpc.Rest;

/// <summary>What all REST calls of one application share.</summary>
internal sealed class RestServer(JsonCodec json, IOptions<RestOptions> options)
{
    /// <summary>Finds fields by the names that URLs use.</summary>
    public FieldIndex Fields { get; } = new(json.Schema);

    public RequestBinder Binder => field ??= new(json, Fields);

    public RestErrorWriter Errors { get; } = new(json);

    public JsonCodec Json => json;

    /// <summary>Writes whole messages.</summary>
    public JsonMessageCodec Messages { get; } = new(json);

    public RestOptions Options { get; } = options.Value;
}
