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
}

/// <summary>One way to reach documents: a scan of one index that stops early.</summary>
/// <param name="Kind">By what right.</param>
/// <param name="Conditions">Where, without the filter.</param>
internal sealed record QueryBranch(BranchKind Kind, ImmutableArray<Sql> Conditions);

/// <summary>
/// Splits a query by the right to see a document, each document in exactly one branch. One scan over everything would walk
/// past all that the caller may not see; a branch touches only the rows of its right. The row policy decides in each of
/// them all the same.
/// </summary>
internal static class QueryBranches
{
    /// <summary>The branches of a query; none when nothing can be found.</summary>
    /// <param name="query">The query.</param>
    /// <param name="caller">Who asks.</param>
    /// <param name="driver">The field index that replaces the documents in every branch but the shares.</param>
    public static ImmutableArray<QueryBranch> Of(DocumentQuery query, Caller caller, FieldDriver? driver)
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
        var mayBeOwn = owner is null || owner == caller.Did;
        var mayBeOther = owner is null || owner != caller.Did;
        var isUser = caller.Principals.Contains(PrincipalName.Users);
        var from = new BranchConditions(query.Collection, caller.Did ?? "", driver, owner);
        var branches = ImmutableArray.CreateBuilder<QueryBranch>();
        if (scope is DocumentScope.Public or DocumentScope.All)
        {
            branches.Add(new(BranchKind.Everyone, from.Everyone(withOwn: scope == DocumentScope.Public)));
        }

        var ofOthers = mayBeOther && scope is DocumentScope.Shared or DocumentScope.All;
        if (ofOthers && isUser)
        {
            branches.Add(new(BranchKind.Users, from.Users()));
        }

        if (caller.IsSignedIn && mayBeOwn && scope is DocumentScope.Own or DocumentScope.All)
        {
            branches.Add(new(BranchKind.Own, from.Own()));
        }

        if (ofOthers && SharingPrincipals(caller).Length > 0)
        {
            branches.Add(new(BranchKind.Shared, from.Shared(isUser)));
        }

        return branches.ToImmutable();
    }

    /// <summary>The principals whose shares the shared branch reads.</summary>
    public static string[] SharingPrincipals(Caller caller) =>
        [.. caller.Principals.Where(principal => principal != PrincipalName.Users)];

    private static string? OwnerIn(FilterNode filter) => FieldDriver.Conjuncts(filter).OfType<CompareNode>()
        .FirstOrDefault(compare => compare is { Op: Operator.Eq, Field.CoreField: CoreField.Owner, Value.Kind: ScalarKind.Text })?.Value.Text;
}

/// <summary>The conditions of the branches, over documents or over the entries of a field index.</summary>
internal sealed class BranchConditions(string collection, string me, FieldDriver? driver, string? owner)
{
    // One fragment, so that all branches share the parameters.
    private readonly Sql _collection = $"{collection}";
    private readonly Sql _me = $"{me}";
    private readonly Sql? _path = driver is null ? null : (Sql)$"{driver.Path.Text}";
    private readonly Sql? _owner = owner is null ? null : (Sql)$"{owner}";

    /// <summary>`audience > 0` proves that the partial index of open documents holds the rows.</summary>
    public ImmutableArray<Sql> Everyone(bool withOwn) => withOwn
        ? [.. Start(), $"{Audience} = 2", $"{Audience} > 0", .. OwnerIsGiven()]
        : [.. Start(), $"{Audience} = 2", $"{Audience} > 0", $"{Owner} <> {_me}", .. OwnerIsGiven()];

    /// <summary>Open to signed-in users.</summary>
    public ImmutableArray<Sql> Users() =>
        [.. Start(), $"{Audience} = 1", $"{Audience} > 0", $"{Owner} <> {_me}", .. OwnerIsGiven()];

    /// <summary>The caller's own, whoever else may read them.</summary>
    public ImmutableArray<Sql> Own() => [.. Start(), $"{Owner} = {_me}"];

    /// <summary>Over a join of shares <c>a</c> and documents. What another branch finds is left to it.</summary>
    public ImmutableArray<Sql> Shared(bool usersHaveABranch) =>
    [
        $"d.collection = {_collection}",
        $"d.delete_time is null",
        $"d.owner_did <> {_me}",
        usersHaveABranch ? (Sql)$"d.audience = 0" : $"d.audience < 2",
    ];

    private Sql Audience => driver is null ? (Sql)$"d.audience" : $"d.f_audience";

    private Sql Owner => driver is null ? (Sql)$"d.owner_did" : $"d.f_owner";

    private ImmutableArray<Sql> Start() => driver is null
        ? [$"d.collection = {_collection}", $"d.delete_time is null"]
        : [$"d.f_collection = {_collection}", $"d.f_path = {_path}", .. driver.Conditions, $"d.delete_time is null"];

    // The filter says it about the document; the entries have an index of their own.
    private ImmutableArray<Sql> OwnerIsGiven() => driver is null || _owner is null ? [] : [$"d.f_owner = {_owner}"];
}
