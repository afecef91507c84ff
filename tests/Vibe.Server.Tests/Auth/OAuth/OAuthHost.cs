using Microsoft.Extensions.DependencyInjection;
using Vibe.Postgres.Tests;
using Vibe.Server.Tests.Api;

namespace Vibe.Server.Tests.Auth.OAuth;

/// <summary>One server, on a clock of the tests', for all tests of a class.</summary>
public sealed class OAuthHost(EmbeddedClusterFixture cluster) : IAsyncLifetime
{
    internal ApiServer Server { get; private set; } = null!;

    internal ShiftedTime Time { get; } = new();

    /// <inheritdoc/>
    public async Task InitializeAsync() => Server = await ApiServer.StartAsync(
        await cluster.CreateEmptyDatabaseAsync(), builder => builder.Services.AddSingleton<TimeProvider>(Time));

    /// <inheritdoc/>
    public async Task DisposeAsync() => await Server.DisposeAsync();
}

/// <summary>The real time, and how far a test has moved it.</summary>
internal sealed class ShiftedTime : TimeProvider
{
    private TimeSpan _shift;

    public override DateTimeOffset GetUtcNow() => base.GetUtcNow() + _shift;

    /// <summary>Lets time pass.</summary>
    public void Pass(TimeSpan time) => _shift += time;
}
