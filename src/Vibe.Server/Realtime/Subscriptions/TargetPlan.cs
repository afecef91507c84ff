using Vibe.Documents.V1;
using Vibe.Realtime.V1;
using Vibe.Server.Documents;
using Vibe.Server.Documents.Queries;
using Vibe.Server.Kernel;
using Vibe.Server.Realtime.Feed;
using Vibe.Server.Realtime.Hub;

namespace Vibe.Server.Realtime.Subscriptions;

/// <summary>What a target asks for, read from the request.</summary>
internal sealed record TargetPlan
{
    /// <summary>The client's number for it.</summary>
    public required uint Id { get; init; }

    /// <summary>Who asks.</summary>
    public required Caller Caller { get; init; }

    /// <summary>Which documents.</summary>
    public required DocumentQuery Query { get; init; }

    /// <summary>Whose documents, with what an unsaid scope means filled in.</summary>
    public required DocumentScope Scope { get; init; }

    /// <summary>The size of the window; 0 for none.</summary>
    public int Limit { get; init; }

    /// <summary>Which parts of a document to send.</summary>
    public required ReadMask Mask { get; init; }

    /// <summary>What it said, in bytes.</summary>
    public int Bytes { get; private init; }

    /// <summary>Where to go on; empty for nowhere.</summary>
    public string Cursor { get; init; } = "";

    /// <summary>The write that must have been told, or be among the initial documents, when the target is ready; null for none.</summary>
    public WritePoint? AtLeast { get; init; }

    /// <summary>Whether what matches now is sent.</summary>
    public bool Initial { get; init; }

    /// <summary>A value the filter requires of a field, by which changes find the target.</summary>
    public (FieldPath Field, FieldValue Value)? Equality { get; private init; }

    /// <summary>Reads a target.</summary>
    /// <exception cref="Grpc.Core.RpcException">INVALID_ARGUMENT.</exception>
    public static TargetPlan Read(Target target, string prefix, Caller caller)
    {
        var query = new DocumentQuery
        {
            Collection = DocumentId.CheckCollection(target.Collection, $"{prefix}collection"),
            Scope = target.Scope,
            Filter = QueryReader.Filter(target.Filter, $"{prefix}filter"),
            Order = QueryReader.Order(target.OrderBy, $"{prefix}orderBy"),
        };
        if (target.OrderBy.Length > 0 && target.Limit == 0)
        {
            throw VibeError.InvalidField($"{prefix}orderBy", "needs a limit: without one, changes come in the order of their commits", "target.order");
        }

        if (target.Limit > 0 && target.Cursor.Length > 0)
        {
            throw VibeError.InvalidField($"{prefix}cursor", "is not for a target with a limit, which always starts with its window", "target.cursor");
        }

        return new TargetPlan
        {
            Id = target.Id,
            Bytes = target.CalculateSize(),
            Caller = caller,
            Query = query,
            Scope = (target.Scope, caller.IsSignedIn) switch
            {
                (DocumentScope.Unspecified, true) => DocumentScope.Own,
                (DocumentScope.Unspecified or DocumentScope.All, false) => DocumentScope.Public,
                (var scope, _) => scope,
            },
            Limit = target.Limit,
            Mask = ReadMask.Read(target.ReadMask, $"{prefix}readMask"),
            Cursor = target.Cursor,
            Initial = target.Initial,
            Equality = FieldValue.RequiredBy(query.Filter),
        };
    }

    /// <summary>Whether nothing can ever match: a signed-out visitor owns nothing and is shared nothing with.</summary>
    public bool IsEmpty => !Caller.IsSignedIn && Scope is DocumentScope.Own or DocumentScope.Shared;

    /// <summary>Whether the version belongs to the target: of the collection and scope, seen, and matching.</summary>
    public bool Holds(FeedDocument version) =>
        !version.IsDeleted && version.Row.Collection == Query.Collection && IsInScope(version.Row.Owner, version.Rules.Audience) && version.IsVisibleTo(Caller) && Query.Filter.Matches(version.View);

    /// <summary>What a change means to the target; null for nothing.</summary>
    public ChangeKind? KindOf(FeedChange change)
    {
        if (change.Past is { } past)
        {
            return KindOf(change.New, past);
        }

        var before = change.Old is not null && Holds(change.Old);
        return (before, Holds(change.New)) switch
        {
            (false, true) => ChangeKind.Added,
            (true, true) => ChangeKind.Modified,
            (true, false) => ChangeKind.Removed,
            _ => null,
        };
    }

    // Without the version before, a change means what it means to somebody who catches up: a document that can be seen and does
    // not belong is removed, and one that cannot be seen any more is, for those it was open to.
    private ChangeKind? KindOf(FeedDocument document, IReadOnlyList<ReadRules> past)
    {
        if (document.Row.Collection != Query.Collection)
        {
            return null;
        }

        var isNew = document.Row.Revision == 1;
        if (!document.IsVisibleTo(Caller))
        {
            return past.Any(rules => rules.Admit(Caller, document.Row.Owner, document.Row.Collection)) ? ChangeKind.Removed : null;
        }

        return (Holds(document), isNew) switch
        {
            (true, true) => ChangeKind.Added,
            (true, false) => ChangeKind.Modified,
            (false, true) => null,
            _ => ChangeKind.Removed,
        };
    }

    /// <summary>Whether the scope takes in a document.</summary>
    public bool IsInScope(string owner, int audience)
    {
        var isOwner = owner == Caller.Did;
        return Scope switch
        {
            DocumentScope.Own => isOwner,
            DocumentScope.Shared => !isOwner && audience < 2,
            DocumentScope.Public => audience == 2,
            _ => true,
        };
    }
}
