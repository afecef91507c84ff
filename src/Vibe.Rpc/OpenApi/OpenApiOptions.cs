using Google.Protobuf.Reflection;

namespace Vibe.Rpc.OpenApi;

/// <summary>What an OpenAPI document says besides what the contract says.</summary>
public sealed class OpenApiOptions
{
    /// <summary>The title. Default: <c>API</c>.</summary>
    public string Title { get; set; } = "API";

    /// <summary>The version of the API, any text. Default: <c>1</c>.</summary>
    public string Version { get; set; } = "1";

    /// <summary>What the API is for, CommonMark. Null (default) for nothing.</summary>
    public string? Description { get; set; }

    /// <summary>The address that paths are relative to. Default: <c>/</c>, the server that serves the document.</summary>
    public string ServerUrl { get; set; } = "/";

    /// <summary>Which services to describe; null (default) for every one that the schema declares.</summary>
    public Func<ServiceDescriptor, bool>? IncludeService { get; set; }

    /// <summary>
    /// Whether a method refuses callers without a bearer token. Null (default), or a null answer, says that a token may be sent.
    /// </summary>
    public Func<MethodDescriptor, bool?>? RequiresToken { get; set; }
}
