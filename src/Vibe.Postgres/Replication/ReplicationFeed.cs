using System.Collections.Frozen;
using System.Globalization;
using System.Runtime.CompilerServices;
using Npgsql;
using Npgsql.Replication;
using Npgsql.Replication.PgOutput;
using Npgsql.Replication.PgOutput.Messages;
using Vibe.Postgres.Sessions;

namespace Vibe.Postgres.Replication;

/// <summary>
/// The database's committed transactions, read through a temporary logical slot of the <c>pgoutput</c> plugin. The slot ends
/// with the connection, so nothing is left behind to retain log; whoever reads repairs the gap from the tables.
/// </summary>
/// <param name="options">Where the database is; its migrating login must be allowed to replicate.</param>
/// <param name="publication">Which tables.</param>
public sealed class ReplicationFeed(DatabaseOptions options, string publication)
{
    /// <summary>How connections of the change feed call themselves in <c>pg_stat_activity</c>.</summary>
    public const string ApplicationName = "vibe-feed";

    private static readonly TimeSpan ReceiverStatusInterval = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan ReceiverTimeout = TimeSpan.FromSeconds(30);

    /// <summary>Why there can be no slot, when that is what an error says; null when it says something else.</summary>
    public static ReplicationObstacle? ObstacleIn(DatabaseException exception)
    {
        ArgumentNullException.ThrowIfNull(exception);
        return exception.SqlState switch
        {
            PostgresErrorCodes.ObjectNotInPrerequisiteState => new("wal_level is not logical", MayPass: false),
            PostgresErrorCodes.InsufficientPrivilege or PostgresErrorCodes.InvalidAuthorizationSpecification => new("the login may not replicate", MayPass: false),
            PostgresErrorCodes.ConfigurationLimitExceeded => new("no replication slot is free", MayPass: true),
            PostgresErrorCodes.TooManyConnections => new("no WAL sender is free", MayPass: true),
            _ => null,
        };
    }

    /// <summary>
    /// What commits after the slot was made, for as long as the enumeration goes on. The first item is null and says that
    /// the slot is there.
    /// </summary>
    /// <exception cref="DatabaseException">The connection could not be made or was lost, or the login may not replicate.</exception>
    public async IAsyncEnumerable<FeedEvent?> ReadAsync([EnumeratorCancellation] CancellationToken cancellationToken)
    {
        await using var connection = new LogicalReplicationConnection(ConnectionString())
        {
            WalReceiverStatusInterval = ReceiverStatusInterval,
            WalReceiverTimeout = ReceiverTimeout,
        };
        var messages = await Guard(StartAsync(connection, cancellationToken));
        await using var reader = messages.GetAsyncEnumerator(cancellationToken);
        yield return null;

        var relations = new Dictionary<uint, FeedRelation>();
        List<RowChange> changes = [];
        FeedMessage? message = null;
        while (await Guard(reader.MoveNextAsync().AsTask()))
        {
            switch (reader.Current)
            {
                case BeginMessage:
                    changes = [];
                    message = null;
                    break;
                case RelationMessage relation:
                    relations[relation.RelationId] = new FeedRelation(relation);
                    break;
                case InsertMessage insert:
                    changes.Add(await Guard(relations[insert.Relation.RelationId].ReadAsync(null, insert.NewRow, cancellationToken)));
                    break;
                case FullUpdateMessage update:
                    changes.Add(await Guard(relations[update.Relation.RelationId].ReadAsync(update.OldRow, update.NewRow, cancellationToken)));
                    break;
                case UpdateMessage update:
                    changes.Add(await Guard(relations[update.Relation.RelationId].ReadAsync(null, update.NewRow, cancellationToken)));
                    break;
                case FullDeleteMessage delete:
                    changes.Add(await Guard(relations[delete.Relation.RelationId].ReadAsync(delete.OldRow, null, cancellationToken)));
                    break;
                case LogicalDecodingMessage { Flags: 1 } emitted:
                    message = new FeedMessage(emitted.Prefix, await Guard(ReadAllAsync(emitted.Data, cancellationToken)));
                    break;
                case CommitMessage commit:
                    connection.SetReplicationStatus(commit.TransactionEndLsn);
                    if (changes.Count > 0)
                    {
                        yield return new FeedTransaction(changes);
                    }
                    else if (message is not null)
                    {
                        yield return message;
                    }

                    break;
            }
        }
    }

    private async Task<IAsyncEnumerable<PgOutputReplicationMessage>> StartAsync(
        LogicalReplicationConnection connection, CancellationToken cancellationToken)
    {
        await connection.Open(cancellationToken);
        var name = string.Create(CultureInfo.InvariantCulture, $"vibe_{Guid.CreateVersion7():N}");
        var slot = await connection.CreatePgOutputReplicationSlot(
            name, temporarySlot: true, LogicalSlotSnapshotInitMode.NoExport, twoPhase: false, cancellationToken);
        return connection.StartReplication(
            slot, new PgOutputReplicationOptions(publication, PgOutputProtocolVersion.V1, binary: true, messages: true), cancellationToken);
    }

    private string ConnectionString() => new NpgsqlConnectionStringBuilder(options.ConnectionString)
    {
        ApplicationName = ApplicationName,
        Pooling = false,
        Timeout = Math.Max(1, (int)Math.Ceiling(options.ConnectTimeout.TotalSeconds)),
        IncludeErrorDetail = false,
    }.ConnectionString;

    private static async Task<ReadOnlyMemory<byte>> ReadAllAsync(Stream stream, CancellationToken cancellationToken)
    {
        using var content = new MemoryStream();
        await stream.CopyToAsync(content, cancellationToken);
        return content.ToArray();
    }

    private static async Task<T> Guard<T>(Task<T> operation)
    {
        try
        {
            return await operation;
        }
        catch (Exception exception) when (DatabaseException.IsDriverError(exception))
        {
            throw DatabaseException.From(exception);
        }
    }

    private sealed class FeedRelation
    {
        private readonly string _table;
        private readonly string[] _types;
        private readonly FrozenDictionary<string, int> _columns;

        // Types by their fixed object ids, see pg_type.dat.
        public FeedRelation(RelationMessage relation)
        {
            _table = relation.RelationName;
            _types = [.. relation.Columns.Select(static column => column.DataTypeId switch
            {
                16 => "bool", 20 or 21 or 23 => "int", 25 or 1043 => "text", 1009 => "text[]", 1184 => "timestamptz", 2950 => "uuid",
                3802 => "jsonb", 5069 => "xid8", var other => throw new NotSupportedException($"The change feed cannot read type {other}."),
            })];
            _columns = relation.Columns.Select(static (column, index) => KeyValuePair.Create(column.ColumnName, index))
                .ToFrozenDictionary(StringComparer.Ordinal);
        }

        public async Task<RowChange> ReadAsync(ReplicationTuple? before, ReplicationTuple? after, CancellationToken cancellationToken)
        {
            var old = before is null ? null : await ReadRowAsync(before, null, cancellationToken);
            return new RowChange(_table, old, after is null ? null : await ReadRowAsync(after, old, cancellationToken));
        }

        private async Task<FeedRow> ReadRowAsync(ReplicationTuple tuple, FeedRow? old, CancellationToken cancellationToken)
        {
            var values = new object?[_types.Length];
            var index = 0;
            await foreach (var value in tuple.WithCancellation(cancellationToken))
            {
                values[index] = value.Kind switch
                {
                    TupleDataKind.Null => null,
                    // A large value that the update left alone is in the old row only.
                    TupleDataKind.UnchangedToastedValue => old?.Raw(index),
                    _ => await ReadAsync(value, _types[index], cancellationToken),
                };
                index++;
            }

            return new FeedRow(_columns, values);
        }

        private static async ValueTask<object> ReadAsync(ReplicationValue value, string type, CancellationToken cancellationToken) => type switch
        {
            "bool" => await value.Get<bool>(cancellationToken),
            "int" => await value.Get<long>(cancellationToken),
            "text" => await value.Get<string>(cancellationToken),
            "text[]" => await value.Get<string[]>(cancellationToken),
            "timestamptz" => await value.Get<DateTimeOffset>(cancellationToken),
            "uuid" => await value.Get<Guid>(cancellationToken),
            "jsonb" => await value.Get<byte[]>(cancellationToken),
            _ => await value.Get<ulong>(cancellationToken),
        };
    }
}

/// <summary>Why the log cannot be read.</summary>
/// <param name="Reason">In plain words, to stand after "because".</param>
/// <param name="MayPass">Somebody else may let go of what is missing.</param>
public sealed record ReplicationObstacle(string Reason, bool MayPass);
