namespace Vibe.Server.Kernel;

/// <summary>What a feature has to throw away from time to time. One node at a time does it.</summary>
internal interface ISweep
{
    /// <summary>What is thrown away, in a few words for the log.</summary>
    string Name { get; }

    /// <summary>Throws away what has had its time, in short transactions.</summary>
    Task SweepAsync(CancellationToken cancellationToken);
}
