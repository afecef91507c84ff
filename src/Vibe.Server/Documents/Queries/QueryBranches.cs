using System.Collections.Immutable;
using Vibe.Documents.V1;
using Vibe.Postgres.Sessions;
using Vibe.Server.Kernel;

namespace Vibe.Server.Documents.Queries;

/// <summary>By what right the caller sees the documents of a branch.</summary>
internal enum BranchKind
{
    Everyone,
    Users,
    Own,
    Shared,

    /// <summary>What is open to nobody else, for an app with a privilege.</summary>
    Private,
}

/// <summary>
/// Splits a query by the right to see a document, each document in exactly one branch. One scan over everything would walk
/// past all that the caller may not see; a branch touches only the rows of its right. The row policy decides in each of
/// them all the same.
/// </summary>
internal sealed class QueryBranches
{
    // One fragment each, so that all branches share the parameters.
    private readonly Sql _collection;
    private readonly Sql _me;
    private readonly Sql? _owner;
    private readonly bool _withOwn;
    private readonly bool _isUser;

    /// <param name="query">The query.</param>
    /// <param name="caller">Who asks.</param>
    public QueryBranches(DocumentQuery query, Caller caller)
    {
        var owner = OwnerIn(query.Filter);
        var scope = query.Scope switch
        {
            DocumentScope.Unspecified => caller.IsSignedIn ? DocumentScope.Own : DocumentScope.Public,
            DocumentScope.All when !caller.IsSignedIn => DocumentScope.Public,
            // Only the owner's own documents can match.
            DocumentScope.All when owner == caller.Did => DocumentScope.Own,
            var given => given,
        };
        Principals = [.. caller.Principals.Where(principal => principal != PrincipalName.Users)];
        _collection = $"{query.Collection}";
        _me = $"{caller.Did ?? ""}";
        _owner = owner is null ? null : (Sql)$"{owner}";
        _withOwn = scope == DocumentScope.Public;
        _isUser = caller.Principals.Contains(PrincipalName.Users);

        var kinds = ImmutableArray.CreateBuilder<BranchKind>();
        if (scope is DocumentScope.Public or DocumentScope.All)
        {
            kinds.Add(BranchKind.Everyone);
        }

        // Without a grant of the collection only what is public, and nothing of the other branches, can be seen; they would
        // walk past all of it.
        var isGranted = caller.Scopes.Read.Contains(Scopes.AnyCollection) || caller.Scopes.Read.Contains(query.Collection);
        var ofOthers = isGranted && (owner is null || owner != caller.Did) && scope is (DocumentScope.Shared or DocumentScope.All);
        var isPrivileged = ofOthers && caller.Privileges.MayRead(query.Collection);
        if (ofOthers && (_isUser || isPrivileged))
        {
            kinds.Add(BranchKind.Users);
        }

        if (caller.IsSignedIn && (owner is null || owner == caller.Did) && scope is (DocumentScope.Own or DocumentScope.All))
        {
            kinds.Add(BranchKind.Own);
        }

        if (isPrivileged)
        {
            kinds.Add(BranchKind.Private);
        }
        else if (ofOthers && Principals.Length > 0)
        {
            kinds.Add(BranchKind.Shared);
        }

        Kinds = kinds.ToImmutable();
    }

    /// <summary>The branches; none when nothing can be found.</summary>
    public ImmutableArray<BranchKind> Kinds { get; }

    /// <summary>The principals whose shares the shared branch reads.</summary>
    public string[] Principals { get; }

    /// <summary>The conditions of a branch on documents <c>d</c>, without the filter.</summary>
    public ImmutableArray<Sql> OnDocuments(BranchKind kind) => kind switch
    {
        BranchKind.Own => [$"d.collection = {_collection}", $"d.delete_time is null", $"d.owner_did = {_me}"],
        BranchKind.Private => [$"d.collection = {_collection}", $"d.delete_time is null", $"d.audience = 0", $"d.owner_did <> {_me}"],
        // What another branch finds is left to it.
        BranchKind.Shared =>
        [
            $"d.collection = {_collection}", $"d.delete_time is null", $"d.owner_did <> {_me}", _isUser ? (Sql)$"d.audience = 0" : $"d.audience < 2",
        ],
        // `audience > 0` proves that the partial index of open documents holds the rows.
        _ =>
        [
            $"d.collection = {_collection}", $"d.delete_time is null", kind == BranchKind.Users ? (Sql)$"d.audience = 1" : $"d.audience = 2",
            $"d.audience > 0", .. kind == BranchKind.Everyone && _withOwn ? [] : (Sql[])[$"d.owner_did <> {_me}"],
        ],
    };

    /// <summary>Whether a branch can be read through field indexes: those of what is private go by owner.</summary>
    public static bool HasEntries(BranchKind kind) => kind != BranchKind.Private;

    /// <summary>The entries of a branch that has some, as <c>f</c>.</summary>
    public static Sql Entries(BranchKind kind) => kind == BranchKind.Shared ? $"vibe.share_fields f" : (Sql)$"vibe.doc_fields f";

    /// <summary>
    /// The conditions of a branch that has entries on the entries <c>f</c> of a field index. A document shared with several of the
    /// principals has an entry for each.
    /// </summary>
    public ImmutableArray<Sql> OnEntries(BranchKind kind, FieldDriver driver)
    {
        Sql[] entries = [$"f.collection = {_collection}", .. driver.Conditions];
        return kind switch
        {
            BranchKind.Own => [.. entries, $"f.owner_did = {_me}"],
            BranchKind.Shared => [.. entries],
            _ =>
            [
                .. entries, kind == BranchKind.Users ? (Sql)$"f.audience = 1" : $"f.audience = 2", $"f.audience > 0",
                .. kind == BranchKind.Everyone && _withOwn ? [] : (Sql[])[$"f.owner_did <> {_me}"],
                // The filter says it about the document; the entries have an index of their own.
                .. _owner is null ? [] : (Sql[])[$"f.owner_did = {_owner}"],
            ],
        };
    }

    private static string? OwnerIn(FilterNode filter) => FieldDriver.Conjuncts(filter).OfType<CompareNode>()
        .FirstOrDefault(compare => compare is { Op: Operator.Eq, Field.CoreField: CoreField.Owner, Value.Kind: ScalarKind.Text })?.Value.Text;
}
