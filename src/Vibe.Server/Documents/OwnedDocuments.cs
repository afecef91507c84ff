using System.Runtime.CompilerServices;
using Vibe.Documents.V1;
using Vibe.Postgres.Sessions;
using Vibe.Server.Documents.Queries;
using Vibe.Server.Kernel;

namespace Vibe.Server.Documents;

/// <summary>Reads and deletes what a person owns, on their behalf and under their row policies.</summary>
internal sealed class OwnedDocuments(Database database, QueryStore queries) : IOwnedDocuments
{
    private const int PageRows = 200;
    private const int DeleteRows = 500;

    private static readonly RowBudget<(DocumentRow Row, Place Place)> PageBudget = new(static row => row.Row.Bytes, 4 * 1024 * 1024);

    /// <inheritdoc/>
    public async IAsyncEnumerable<Document> ReadAllAsync(string did, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var caller = CallerOf(did);
        var collections = await database.QueryAsync(
            caller.ToRequestContext(),
            $"select distinct collection from vibe.documents where owner_did = {did} and delete_time is null",
            static row => row.GetString(0), cancellationToken);
        foreach (var collection in collections.Order(StringComparer.Ordinal))
        {
            var query = new DocumentQuery { Collection = collection, Scope = DocumentScope.Own };
            IReadOnlyList<(DocumentRow Row, Place Place)> page = [];
            do
            {
                page = await queries.ListAsync(caller, query, PageRows, page.Count == 0 ? null : page[^1].Place, PageBudget, cancellationToken);
                foreach (var (row, _) in page)
                {
                    yield return row.ToProto(caller);
                }
            }
            while (page.Count == PageRows || PageBudget.IsSpentBy(page));
        }
    }

    /// <inheritdoc/>
    public async Task DeleteAllAsync(string did, CancellationToken cancellationToken)
    {
        var context = CallerOf(did).ToRequestContext();
        while (await database.ExecuteAsync(
            context,
            $"""
            update vibe.documents set delete_time = now() where id in (
              select id from vibe.documents where owner_did = {did} and delete_time is null limit {DeleteRows})
            """,
            cancellationToken) == DeleteRows)
        {
            // More of them.
        }
    }

    private static Caller CallerOf(string did) =>
        new() { Did = did, Principals = [did, PrincipalName.Users], Scopes = Scopes.AllDocuments };
}
