using System.Globalization;
using Google.Rpc;
using Grpc.Core;
using Vibe.Documents.V1;
using Vibe.Errors.V1;
using Vibe.Rpc;
using Vibe.Server.Kernel;

namespace Vibe.Server.Documents;

/// <summary>How calls on documents fail. In a batch, <c>index</c> in the metadata tells which write.</summary>
internal static class DocumentErrors
{
    /// <summary>It is not there, or the caller may not see it: the same answer, byte for byte.</summary>
    public static RpcException NotFound(Guid id, int? index = null) => Create(
        StatusCode.NotFound, ErrorReason.DocumentNotFound, "There is no such document, or you may not see it.", index, ("id", id.ToString()));

    /// <summary>The id or key is taken; by whom is not said.</summary>
    public static RpcException AlreadyExists(Guid id, int? index = null) => Create(
        StatusCode.AlreadyExists, ErrorReason.DocumentAlreadyExists, "The id or key is taken.", index, ("id", id.ToString()));

    /// <summary>The caller may read it only.</summary>
    public static RpcException ReadOnly(Guid id, int? index = null) => Create(
        StatusCode.PermissionDenied, ErrorReason.DocumentReadOnly, "You may read this document but not change it.", index, ("id", id.ToString()));

    /// <summary>The access rules belong to the owner.</summary>
    public static RpcException OwnerRequired(Guid id, int? index = null) => Create(
        StatusCode.PermissionDenied, ErrorReason.OwnerRequired, "Only the owner changes the access rules.", index, ("id", id.ToString()));

    /// <summary>Somebody else wrote in between. <paramref name="current"/> is null when the document is not there.</summary>
    public static RpcException EtagMismatch(Guid id, string etag, long? current, int? index = null) => Create(
        StatusCode.Aborted, ErrorReason.EtagMismatch, "The document was changed in between: read it again.", index,
        ("id", id.ToString()), ("etag", etag), ("currentEtag", current is { } revision ? DocumentEtag.Of(revision) : ""));

    /// <summary>A write of a batch expected something else.</summary>
    public static RpcException PreconditionFailed(Guid id, bool exists, int? index) => Create(
        StatusCode.FailedPrecondition, ErrorReason.PreconditionFailed,
        exists ? "The document does not exist, as the write requires." : "The document exists, and the write requires that it does not.",
        index, ("id", id.ToString()));

    /// <summary>Two writes met, and this one lost.</summary>
    public static RpcException WriteConflict() => VibeError.Create(
        StatusCode.Aborted, ErrorReason.WriteConflict, "Another write came first; try again.");

    /// <summary>The token does not reach the collection.</summary>
    public static RpcException ScopeRequired(string collection, int? index = null) => Create(
        StatusCode.PermissionDenied, ErrorReason.ScopeRequired, $"The access token lacks the scope documents:{collection}:write.", index,
        ("scope", $"documents:{collection}:write"));

    /// <summary>A signed-out visitor cannot own anything.</summary>
    public static RpcException TokenRequired() => VibeError.Create(
        StatusCode.Unauthenticated, ErrorReason.TokenRequired, "This method needs an access token: send `Authorization: Bearer <token>`.");

    /// <summary>The request id stands for something else.</summary>
    public static RpcException RequestIdReused(Guid requestId) => VibeError.Create(
        StatusCode.InvalidArgument, ErrorReason.RequestIdReused, "The request id was used for another request.",
        [("requestId", requestId.ToString())],
        new BadRequest { FieldViolations = { RpcErrors.Violation("requestId", "was used for another request") } });

    /// <summary>The body is over the limit.</summary>
    public static RpcException BodyTooLarge(string field) =>
        VibeError.InvalidField(field, "has at most 1 MiB as JSON text", "document.size");

    /// <summary>An id of the derived kind without its key.</summary>
    public static RpcException IdNeedsKey(string field) => VibeError.InvalidField(
        field, "is the id of a document with a key (UUIDv8): give collection and key instead", "document.id");

    /// <summary>The id and the key given do not belong together.</summary>
    public static RpcException IdOfOtherKey(string field) =>
        VibeError.InvalidField(field, "is not the id that belongs to the key", "document.id");

    /// <summary>The collection of a document never changes.</summary>
    public static RpcException CollectionIsImmutable(string field) =>
        VibeError.InvalidField(field, "is not the collection of the document, which never changes", "document.collection");

    /// <summary>Search needs an index.</summary>
    public static RpcException TextIndexRequired(string collection) => VibeError.Create(
        StatusCode.FailedPrecondition, ErrorReason.TextIndexRequired, $"The collection {collection} has no text index that is ready.",
        ("collection", collection));

    /// <summary>There is no such index.</summary>
    public static RpcException FieldIndexNotFound(string collection, string path, FieldIndex.Types.Kind kind) => VibeError.Create(
        StatusCode.NotFound, ErrorReason.FieldIndexNotFound, "There is no such field index.",
        ("collection", collection), ("path", path), ("kind", kind == FieldIndex.Types.Kind.Text ? "KIND_TEXT" : "KIND_VALUE"));

    /// <summary>More suggestions than a collection keeps.</summary>
    public static RpcException TooManySuggestions(int limit) => VibeError.Create(
        StatusCode.ResourceExhausted, ErrorReason.RateLimited, "The collection has too many suggested indexes already.",
        ("limit", limit.ToString(CultureInfo.InvariantCulture)));

    private static RpcException Create(
        StatusCode code, ErrorReason reason, string message, int? index, params ReadOnlySpan<(string Key, string Value)> metadata) =>
        index is { } place
            ? VibeError.Create(code, reason, message, [.. metadata, ("index", place.ToString(CultureInfo.InvariantCulture))])
            : VibeError.Create(code, reason, message, metadata);
}
