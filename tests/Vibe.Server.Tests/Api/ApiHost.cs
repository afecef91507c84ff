using Vibe.Postgres.Tests;

namespace Vibe.Server.Tests.Api;

/// <summary>One server with the product's own settings for the tests of a class.</summary>
public sealed class ApiHost(EmbeddedClusterFixture cluster) : IAsyncLifetime
{
    internal ApiServer Server { get; private set; } = null!;

    /// <inheritdoc/>
    public async Task InitializeAsync() => Server = await ApiServer.StartAsync(await cluster.CreateEmptyDatabaseAsync());

    /// <inheritdoc/>
    public async Task DisposeAsync() => await Server.DisposeAsync();
}
