namespace Vibe.Rpc.Json;

/// <summary>
/// A message cannot be read from the JSON given, or cannot be written as JSON. The text is fit for a client: it names the place and
/// the rule, and quotes at most a few characters of the input.
/// </summary>
public class JsonCodecException : Exception
{
    /// <summary>Makes the exception.</summary>
    /// <param name="reason">One of <see cref="JsonErrorReason"/>.</param>
    /// <param name="message">What is wrong, in plain words.</param>
    /// <param name="fieldPath">Where, as <see cref="FieldPath"/> says it.</param>
    public JsonCodecException(string reason, string message, string fieldPath = "")
        : base(fieldPath.Length == 0 ? message : $"{fieldPath}: {message}")
    {
        Reason = reason;
        Problem = message;
        FieldPath = fieldPath;
    }

    /// <summary>The kind of error, one of <see cref="JsonErrorReason"/>.</summary>
    public string Reason { get; }

    /// <summary>What is wrong, without the place: <see cref="Exception.Message"/> has both.</summary>
    public string Problem { get; }

    /// <summary>
    /// The JSON path of the offending element, as in <c>message.children[3].text</c>; empty for the whole input. At most about 200
    /// characters: longer names and paths are cut and end in "…".
    /// </summary>
    public string FieldPath { get; }
}
