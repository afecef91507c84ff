using Microsoft.Extensions.Logging.Abstractions;
using Vibe.Postgres.Embedded;

namespace Vibe.Postgres.Tests;

/// <summary>A process that owns an embedded cluster until it is killed: <c>supervise DIRECTORY</c>.</summary>
public static class Program
{
    public static async Task Main(string[] args)
    {
        if (args is not ["supervise", var directory])
        {
            throw new ArgumentException("usage: supervise DIRECTORY", nameof(args));
        }
        await using var cluster = await EmbeddedCluster.StartAsync(
            new() { DataDirectory = directory }, NullLogger.Instance, TimeProvider.System, CancellationToken.None);
        await Console.Out.WriteLineAsync($"ready {cluster.ProcessId}");
        await Console.In.ReadToEndAsync();
    }
}
