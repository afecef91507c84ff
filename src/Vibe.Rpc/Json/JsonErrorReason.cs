namespace Vibe.Rpc.Json;

/// <summary>The values of <see cref="JsonCodecException.Reason"/>.</summary>
public static class JsonErrorReason
{
    /// <summary>The input is not JSON (RFC 8259): syntax, a comment, a byte order mark, or text after the value.</summary>
    public const string MalformedJson = "MALFORMED_JSON";

    /// <summary>The input, or a string in it, is not UTF-8.</summary>
    public const string InvalidUtf8 = "INVALID_UTF8";

    /// <summary>An escape stands for half of a surrogate pair.</summary>
    public const string LoneSurrogate = "LONE_SURROGATE";

    /// <summary>Objects and arrays are nested deeper than the limit.</summary>
    public const string DepthLimit = "DEPTH_LIMIT";

    /// <summary>The input or its other form is larger than the limit.</summary>
    public const string SizeLimit = "SIZE_LIMIT";

    /// <summary>An object names a member twice, or a field by both of its names.</summary>
    public const string DuplicateKey = "DUPLICATE_KEY";

    /// <summary>The message has no field of that name.</summary>
    public const string UnknownField = "UNKNOWN_FIELD";

    /// <summary>Two fields of one oneof are given.</summary>
    public const string OneofConflict = "ONEOF_CONFLICT";

    /// <summary>The value is of the wrong JSON type for its field.</summary>
    public const string WrongType = "WRONG_TYPE";

    /// <summary>null where a value is needed: an element of a list or a value of a map.</summary>
    public const string UnexpectedNull = "UNEXPECTED_NULL";

    /// <summary>A number with a fraction for an integer field, or a string that is no number.</summary>
    public const string InvalidNumber = "INVALID_NUMBER";

    /// <summary>A number outside of the range of its field.</summary>
    public const string NumberOutOfRange = "NUMBER_OUT_OF_RANGE";

    /// <summary>NaN or an infinity where JSON has no form for it.</summary>
    public const string NotFinite = "NOT_FINITE";

    /// <summary>The enum has no value of that name.</summary>
    public const string UnknownEnumValue = "UNKNOWN_ENUM_VALUE";

    /// <summary>The string is neither base64 nor base64url.</summary>
    public const string InvalidBase64 = "INVALID_BASE64";

    /// <summary>No RFC 3339 timestamp from year 1 to 9999.</summary>
    public const string InvalidTimestamp = "INVALID_TIMESTAMP";

    /// <summary>No duration of at most 10,000 years written as seconds with the suffix <c>s</c>.</summary>
    public const string InvalidDuration = "INVALID_DURATION";

    /// <summary>The paths of a field mask are not in lowerCamelCase, or do not survive the round trip.</summary>
    public const string InvalidFieldMask = "INVALID_FIELD_MASK";

    /// <summary>A <c>google.protobuf.Any</c> without <c>@type</c>, or with one that is no type URL.</summary>
    public const string InvalidTypeUrl = "INVALID_TYPE_URL";

    /// <summary>A <c>google.protobuf.Any</c> holds a type that this server does not know, or bytes that are not of its type.</summary>
    public const string UnknownType = "UNKNOWN_TYPE";

    /// <summary>A string of a Struct holds U+0000, which PostgreSQL's jsonb cannot store.</summary>
    public const string NullCharacter = "NULL_CHARACTER";

    /// <summary>The bytes are not one well-formed <c>google.protobuf.Struct</c>.</summary>
    public const string MalformedStruct = "MALFORMED_STRUCT";

    /// <summary>A <c>google.protobuf.Value</c> without a kind.</summary>
    public const string MissingValue = "MISSING_VALUE";
}
