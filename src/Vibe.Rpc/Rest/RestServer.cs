using Microsoft.Extensions.Options;
using Vibe.Rpc.Json;

namespace Vibe.Rpc.Rest;

/// <summary>What all REST calls of one application share.</summary>
internal sealed class RestServer(JsonCodec json, IOptions<RestOptions> options)
{
    /// <summary>Finds fields by the names that URLs use.</summary>
    public FieldIndex Fields { get; } = new(json.Schema);

    public RequestBinder Binder => field ??= new(json, Fields);

    public RestErrorWriter Errors { get; } = new(json);

    public JsonCodec Json => json;

    public RestOptions Options { get; } = options.Value;
}
