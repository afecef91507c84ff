namespace Vibe.Rpc.Json;

/// <summary>Something is not a JSON object that a <c>google.protobuf.Struct</c> can hold, or not a well-formed Struct.</summary>
/// <param name="reason">One of <see cref="JsonErrorReason"/>.</param>
/// <param name="message">What is wrong, in plain words.</param>
/// <param name="fieldPath">Where, counted from the object.</param>
public sealed class StructJsonException(string reason, string message, string fieldPath = "")
    : JsonCodecException(reason, message, fieldPath);
