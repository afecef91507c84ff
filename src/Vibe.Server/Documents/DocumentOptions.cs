namespace Vibe.Server.Documents;

/// <summary>Settings of the documents feature.</summary>
internal sealed record DocumentOptions
{
    /// <summary>How long a node goes by what it last saw of the field indexes. Default 5 s.</summary>
    public TimeSpan FieldIndexRefresh { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>
    /// How long a dropped field index stays usable: longer than <see cref="FieldIndexRefresh"/> and the longest query
    /// together, so that no query finds it half removed. Default 30 s.
    /// </summary>
    public TimeSpan FieldIndexDropDelay { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>How often a node looks for field indexes to build, besides being told. Default 5 s.</summary>
    public TimeSpan FieldIndexPoll { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>How many documents a step of a build looks at, in one transaction. Default 2,000.</summary>
    public int FieldIndexBatch { get; init; } = 2000;

    /// <summary>How often use counts are written down. Default 1 min.</summary>
    public TimeSpan UseCountFlush { get; init; } = TimeSpan.FromMinutes(1);

    /// <summary>How long a request id stands for its outcome. Default 24 h.</summary>
    public TimeSpan RequestIdLifetime { get; init; } = TimeSpan.FromHours(24);
}
