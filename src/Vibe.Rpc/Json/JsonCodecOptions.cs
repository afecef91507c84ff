namespace Vibe.Rpc.Json;

/// <summary>How a <see cref="JsonCodec"/> reads and writes.</summary>
public sealed record JsonCodecOptions
{
    /// <summary>
    /// Writes fields that have no presence even when they hold their default value, and lists and maps even when empty. Default:
    /// false, as the canonical mapping says.
    /// </summary>
    public bool EmitDefaults { get; init; }

    /// <summary>Skips members that the message does not have, and enum names that its enum does not have. Default: false, they fail.</summary>
    public bool IgnoreUnknown { get; init; }

    /// <summary>How deep objects and arrays of the input may be nested. Default: 100. From 1 to 250.</summary>
    public int MaxDepth
    {
        get;
        init => field = value is >= 1 and <= 250 ? value : throw new ArgumentOutOfRangeException(nameof(value), value, "1 to 250");
    } = 100;

    /// <summary>How many bytes of wire form an object may have that is read into the wire twin of a <c>google.protobuf.Struct</c>.
    /// Default: 4,194,304 (4 MiB).</summary>
    public int MaxStructBytes { get; init; } = StructJsonLimits.Default.MaxBytes;
}
