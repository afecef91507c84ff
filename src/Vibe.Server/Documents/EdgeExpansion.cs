using Vibe.Documents.V1;
using Vibe.Postgres.Sessions;
using Vibe.Server.Kernel;

namespace Vibe.Server.Documents;

/// <summary>
/// Fills <c>related</c>: follows edges, one round trip a hop however many documents and labels. The row policies decide
/// at every hop; what the caller may not see is not there, and nothing behind it either.
/// </summary>
internal sealed class EdgeExpansion(Database database)
{
    private const int MaxPerHop = 20;
    private const int MaxInAll = 500;

    /// <summary>Follows the hops from the roots.</summary>
    public async Task ExpandAsync(
        Caller caller, IEnumerable<(DocumentRow Row, Document Document)> roots, List<ExpandHop> hops, CancellationToken cancellationToken)
    {
        List<Step> steps = [.. roots.SelectMany(root => hops.Select(hop => new Step(root.Row, root.Document, hop)))];
        var left = MaxInAll;
        while (steps.Count > 0 && left > 0)
        {
            var reached = await FollowAsync(caller, steps, cancellationToken);
            List<Step> next = [];
            foreach (var (step, row) in reached.Take(left))
            {
                left--;
                var document = row.ToProto(caller);
                step.Document.Related.Add(new RelatedDocument { Via = step.Hop.Via, Document = document });
                next.AddRange(step.Hop.Next.Select(hop => new Step(row, document, hop)));
            }

            steps = next;
        }
    }

    private async Task<List<(Step Step, DocumentRow Row)>> FollowAsync(Caller caller, List<Step> steps, CancellationToken cancellationToken)
    {
        var batch = database.CreateBatch(caller.ToRequestContext(), Access.Read);
        var forward = steps.Where(static step => !step.Hop.IsReverse).Select(static step => (Step: step, Targets: TargetsOf(step))).ToList();
        var targets = forward.SelectMany(static step => step.Targets).Distinct().ToArray();
        var found = targets.Length == 0 ? null : batch.Query(
            $"select {DocumentRow.Columns} from vibe.documents d where d.id = any({targets}) and d.delete_time is null",
            static row => DocumentRow.Read(row));

        var reverse = steps.Where(static step => step.Hop.IsReverse)
            .GroupBy(static step => step.Hop.Label, StringComparer.Ordinal)
            .Select(group => (Steps: group.ToList(), Rows: batch.Query(Incoming(group.Key, [.. group.Select(static step => step.Row.Id).Distinct()]), static row =>
                (Target: row.GetGuid(DocumentRow.ColumnCount), Row: DocumentRow.Read(row)))))
            .ToList();
        if (found is null && reverse.Count == 0)
        {
            return [];
        }

        await batch.RunAsync(cancellationToken);
        var byId = (found?.Value ?? []).ToDictionary(static row => row.Id);
        List<(Step, DocumentRow)> reached = [];
        foreach (var (step, ids) in forward)
        {
            reached.AddRange(ids.Where(byId.ContainsKey).Take(MaxPerHop).Select(id => (step, byId[id])));
        }

        foreach (var (ofLabel, rows) in reverse)
        {
            var byTarget = rows.Value.ToLookup(static row => row.Target, static row => row.Row);
            reached.AddRange(ofLabel.SelectMany(step => byTarget[step.Row.Id].Select(row => (step, row))));
        }

        return reached;
    }

    private static List<Guid> TargetsOf(Step step) =>
        [.. DocumentEdges.FromJson(step.Row.Edges).Where(edge => edge.Label == step.Hop.Label).Select(static edge => Guid.Parse(edge.Target))];

    // The newest first; only edges of documents the caller sees count.
    private static Sql Incoming(string label, Guid[] targets) => $"""
        select {DocumentRow.Columns}, t.id as target
        from unnest({targets}) t(id)
        cross join lateral vibe.edges_in(t.id, {label}, {EdgePlace.BeforeAll.CreateTime}, {EdgePlace.BeforeAll.Source}, '', {MaxPerHop}) e
        cross join lateral (select d.* from vibe.documents d where d.id = e.source_id and d.delete_time is null offset 0) d
        order by t.id, e.create_time desc, e.source_id desc
        """;

    private sealed record Step(DocumentRow Row, Document Document, ExpandHop Hop);
}
