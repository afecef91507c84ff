using System.Text;

namespace Vibe.Server.Tests.Api;

/// <summary>One call of the documents service in every form it takes.</summary>
internal sealed record ApiCall
{
    /// <summary>The method's name.</summary>
    public required string Method { get; init; }

    /// <summary>The whole request as JSON: what Connect sends, and what becomes the message of gRPC and gRPC-Web.</summary>
    public required byte[] Message { get; init; }

    /// <summary>The verb of the REST form.</summary>
    public required HttpMethod Verb { get; init; }

    /// <summary>The path and query of the REST form.</summary>
    public required string Path { get; init; }

    /// <summary>The body of the REST form.</summary>
    public byte[]? Body { get; init; }

    /// <summary>
    /// Whether the message is no valid JSON of the request: gRPC and gRPC-Web then carry the text as it is, with the
    /// codec <c>json</c>.
    /// </summary>
    public bool IsText { get; init; }

    /// <summary>CreateDocument with this document, whatever it is.</summary>
    public static ApiCall Create(byte[] document, bool isText, string requestId = "") => new()
    {
        Method = "CreateDocument",
        Message = [.. Encoding.UTF8.GetBytes($"{{\"requestId\":\"{requestId}\",\"document\":"), .. document, (byte)'}'],
        Verb = HttpMethod.Post,
        Path = $"/v1/documents?request_id={requestId}",
        Body = document,
        IsText = isText,
    };

    /// <summary>CreateDocument with a document that the contract's types allow.</summary>
    public static ApiCall Create(string document, string requestId = "") => Create(Encoding.UTF8.GetBytes(document), isText: false, requestId);

    /// <summary>CreateDocument with text that is no document.</summary>
    public static ApiCall CreateText(string document) => Create(Encoding.UTF8.GetBytes(document), isText: true);

    /// <summary>A method whose REST form has everything in path and query.</summary>
    public static ApiCall Get(string method, string message, string path) =>
        new() { Method = method, Message = Encoding.UTF8.GetBytes(message), Verb = HttpMethod.Get, Path = path };

    /// <summary>UpdateDocument.</summary>
    public static ApiCall Update(string id, string document, string mask = "", string etag = "") => new()
    {
        Method = "UpdateDocument",
        Message = Encoding.UTF8.GetBytes($$"""{"id":"{{id}}","document":{{document}},"etag":"{{etag}}","updateMask":[{{(mask.Length == 0 ? "" : $"\"{mask}\"")}}]}"""),
        Verb = HttpMethod.Patch,
        Path = $"/v1/documents/{id}?etag={etag}" + (mask.Length == 0 ? "" : $"&update_mask={mask}"),
        Body = Encoding.UTF8.GetBytes(document),
    };

    /// <summary>A method whose REST form has the whole request as its body.</summary>
    public static ApiCall Post(string method, string message, string path) => new()
    {
        Method = method, Message = Encoding.UTF8.GetBytes(message), Verb = HttpMethod.Post, Path = path, Body = Encoding.UTF8.GetBytes(message),
    };
}
