namespace Vibe.Postgres.Sessions;

/// <summary>A <c>bytea</c> value in a <see cref="Sql"/> hole: plain byte arrays there are JSON.</summary>
/// <param name="Bytes">The bytes as stored.</param>
public readonly record struct Bytea(ReadOnlyMemory<byte> Bytes);
