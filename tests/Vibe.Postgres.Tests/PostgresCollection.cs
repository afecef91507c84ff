namespace Vibe.Postgres.Tests;

/// <summary>Shares one server between the test classes that name this collection.</summary>
[CollectionDefinition(Name)]
#pragma warning disable CA1711 // xunit calls it a collection.
public sealed class PostgresCollection : ICollectionFixture<EmbeddedClusterFixture>
#pragma warning restore CA1711
{
    public const string Name = "PostgreSQL";
}
