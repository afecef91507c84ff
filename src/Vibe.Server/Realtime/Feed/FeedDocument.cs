using System.Collections.Concurrent;
using System.Text.Json;
using Vibe.Documents.V1;
using Vibe.Postgres.Replication;
using Vibe.Realtime.V1;
using Vibe.Rpc;
using Vibe.Server.Documents;
using Vibe.Server.Documents.Queries;
using Vibe.Server.Kernel;

namespace Vibe.Server.Realtime.Feed;

/// <summary>
/// One version of a document as the feed delivers it, with who may see it. Parsed once, turned into messages once for each
/// distinct answer, however many subscribers there are. Thread-safe.
/// </summary>
internal sealed class FeedDocument
{
    private static readonly Caller Stranger = new();

    private readonly ConcurrentDictionary<(ReadMask Mask, bool IsOwner), Document> _messages = new();
    private readonly ConcurrentDictionary<(ReadMask Mask, bool IsOwner, uint Target, ChangeKind Kind), SubscribeResponse> _frames = new();
    private readonly Lazy<JsonDocument?> _body;

    private FeedDocument(DocumentRow row)
    {
        Row = row;
        _body = new(() => row.DeleteTime is null ? JsonDocument.Parse(row.Data, DocumentView.BodyOptions) : null);
    }

    /// <summary>The document.</summary>
    public DocumentRow Row { get; }

    /// <summary>Who may read it.</summary>
    public required ReadRules Rules { get; init; }

    /// <summary>The transaction that wrote this version.</summary>
    public required ulong Transaction { get; init; }

    /// <summary>Whether it is a tombstone.</summary>
    public bool IsDeleted => Row.DeleteTime is not null;

    /// <summary>About how much memory it takes, with what is made of it.</summary>
    public int Bytes => 2048 + (4 * Row.Data.Length) + (2 * (Row.Acl.Length + Row.Edges.Length));

    /// <summary>For filters and orders.</summary>
    public DocumentView View => Row.ToView(_body.Value?.RootElement ?? default);

    /// <summary>Reads a row of the table <c>documents</c>.</summary>
    public static FeedDocument Read(FeedRow row) => new(new DocumentRow
    {
        Id = row.GetGuid("id"),
        Collection = row.GetString("collection"),
        Owner = row.GetString("owner_did"),
        App = row.GetString("app_did"),
        Key = row.GetStringOrNull("key"),
        Data = row.GetJson("data"),
        Acl = row.GetJson("acl"),
        Edges = row.GetJson("edges"),
        CreateTime = row.GetTimestamp("create_time"),
        UpdateTime = row.GetTimestamp("update_time"),
        DeleteTime = row.GetTimestampOrNull("delete_time"),
        Revision = row.GetInt64("revision"),
    })
    {
        Rules = new ReadRules((int)row.GetInt64("audience"), row.GetTextArray("readers"), row.GetTextArray("denied")),
        Transaction = row.GetXid8("txid"),
    };

    /// <summary>Makes a version of what a query returned.</summary>
    public static FeedDocument Of(DocumentRow row, ReadRules rules, ulong transaction) => new(row) { Rules = rules, Transaction = transaction };

    /// <summary>Whether the caller may read it.</summary>
    public bool IsVisibleTo(Caller caller) => Rules.Admit(caller, Row.Owner, Row.Collection);

    /// <summary>The document as the caller may see it; the same instance for all who see the same.</summary>
    public Document MessageFor(Caller caller, ReadMask mask)
    {
        var isOwner = Row.Owner == caller.Did;
        return _messages.GetOrAdd((mask, isOwner), static (key, document) => document.Row.ToProto(key.IsOwner ? document.Owner() : Stranger, key.Mask), this);
    }

    /// <summary>The frame that tells this one change for one target; the same instance for all who see the same.</summary>
    public SubscribeResponse FrameFor(Caller caller, ReadMask mask, uint target, ChangeKind kind) => _frames.GetOrAdd(
        (mask, Row.Owner == caller.Did, target, kind),
        static (key, state) =>
        {
            var change = new TargetChange { TargetId = key.Target };
            state.Document.AddTo(change, state.Caller, key.Mask, key.Kind);
            return new SubscribeResponse { Batch = new Batch { Changes = { change } }, Shared = new SharedBytes() };
        },
        (Document: this, Caller: caller));

    /// <summary>Adds this change to what is told of a target.</summary>
    public void AddTo(TargetChange change, Caller caller, ReadMask mask, ChangeKind kind)
    {
        switch (kind)
        {
            case ChangeKind.Added:
                change.Added.Add(MessageFor(caller, mask));
                break;
            case ChangeKind.Modified:
                change.Modified.Add(MessageFor(caller, mask));
                break;
            default:
                change.Removed.Add(new RemovedDocument { Id = Row.Id.ToString(), Revision = Row.Revision });
                break;
        }
    }

    private Caller Owner() => new() { Did = Row.Owner };
}

/// <summary>What a change means to a target.</summary>
internal enum ChangeKind
{
    /// <summary>The document belongs to the target now.</summary>
    Added,

    /// <summary>It did before, and still does.</summary>
    Modified,

    /// <summary>It does not any more.</summary>
    Removed,
}

/// <summary>One document before and after a transaction.</summary>
/// <param name="Old">Null when it was made, or is not known.</param>
/// <param name="New">As it is now; perhaps a tombstone.</param>
/// <param name="Past">Null when <paramref name="Old"/> is known. Else the rules that were in force before.</param>
internal sealed record FeedChange(FeedDocument? Old, FeedDocument New, IReadOnlyList<ReadRules>? Past = null);

/// <summary>The documents one transaction changed.</summary>
/// <param name="Transaction">Its number.</param>
/// <param name="Changes">What it changed, in order.</param>
internal sealed record CommittedChanges(ulong Transaction, IReadOnlyList<FeedChange> Changes)
{
    /// <summary>About how much memory it takes.</summary>
    public long Bytes { get; } = Changes.Sum(static change => (long)change.New.Bytes + (change.Old?.Bytes ?? 0));
}
