namespace Vibe.Rpc.Json;

/// <summary>How much a Struct may hold.</summary>
public sealed record StructJsonLimits
{
    internal const int Most = 1000;

    /// <summary>The limits used when none are given.</summary>
    public static StructJsonLimits Default { get; } = new();

    /// <summary>How deep objects and arrays may be nested, the outermost object counting as 1. Default: 100. From 1 to 1000.</summary>
    public int MaxDepth
    {
        get;
        init => field = value is >= 1 and <= Most ? value : throw new ArgumentOutOfRangeException(nameof(value), value, "1 to 1000");
    } = 100;

    /// <summary>
    /// How many bytes the wire form may have. Default: 4,194,304 (4 MiB). The JSON form of the same object is about a sixth shorter;
    /// how long JSON input may be is for the caller to decide.
    /// </summary>
    public int MaxBytes { get; init; } = 4 * 1024 * 1024;
}
