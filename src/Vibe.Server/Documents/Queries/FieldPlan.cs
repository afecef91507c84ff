using System.Collections.Immutable;

namespace Vibe.Server.Documents.Queries;

/// <summary>
/// How a page finds its documents through field indexes. A walk goes through rows in the order wanted and stops when the
/// page is full: quick when many rows pass the filter, without end when few do. A probe is a condition that may have few
/// matches: they are read first, and when there are no more than <see cref="ProbeLimit"/> they are sorted and the walk is
/// not made. So the data decides, when the query runs, and not an estimate.
/// </summary>
/// <param name="Walk">The index that is walked; null to walk the documents.</param>
/// <param name="Probes">The conditions to try first, in this order.</param>
/// <param name="ProbeLimit">How many matches are rather sorted than walked for.</param>
internal sealed record FieldPlan(FieldDriver? Walk, ImmutableArray<FieldDriver> Probes, int ProbeLimit)
{
    /// <summary>
    /// The usual limit. Reading as many entries is the cost of a probe; a walk for a page of 50 then passes a hundredth of
    /// the collection, when the matches are spread over it.
    /// </summary>
    public const int UsualProbeLimit = 5000;

    private const int MaxProbes = 2;

    /// <summary>The names of the indexes used.</summary>
    public ImmutableArray<string> Fields => [.. Probes.Prepend(Walk!).Where(static driver => driver is not null).Select(static driver => driver.Index.Text)];

    /// <summary>The plan of a query.</summary>
    /// <param name="filter">The canonical filter.</param>
    /// <param name="order">The order.</param>
    /// <param name="ready">The collection's indexes that are ready.</param>
    /// <param name="probeLimit">See <see cref="ProbeLimit"/>.</param>
    public static FieldPlan Of(FilterNode filter, DocumentOrder order, ImmutableArray<IndexedFields> ready, int probeLimit)
    {
        var narrowing = FieldDriver.Narrowing(filter, ready);
        var leading = order.Keys[0].Field;
        if (leading.CoreField == CoreField.None)
        {
            // The one that leaves most out; without conditions, the index on the field alone.
            var ofLeading = ready.Where(index => index.Last.Equals(leading)).Select(index => FieldDriver.Of(index, filter));
            var walk = narrowing.FirstOrDefault(driver => driver.Index.Last.Equals(leading)) ?? ofLeading.FirstOrDefault(static driver => driver is not null);
            if (walk is not null)
            {
                return With(walk, narrowing, probeLimit);
            }
        }

        if (leading.CoreField == CoreField.CreateTime)
        {
            return With(narrowing.FirstOrDefault(static driver => driver.IsOneValue), narrowing, probeLimit);
        }

        // Every match must be read to be sorted.
        return new(Narrowest(filter, ready), [], probeLimit);
    }

    /// <summary>The index that leaves most documents out, when all that match must be read; null when none does.</summary>
    /// <param name="filter">The canonical filter.</param>
    /// <param name="ready">The collection's indexes that are ready.</param>
    public static FieldDriver? Narrowest(FilterNode filter, ImmutableArray<IndexedFields> ready) =>
        Undominated(FieldDriver.Narrowing(filter, ready)).FirstOrDefault();

    // What the walk leaves out already need not be tried first.
    private static FieldPlan With(FieldDriver? walk, ImmutableArray<FieldDriver> narrowing, int probeLimit) =>
        new(walk, [.. Undominated(narrowing).Where(driver => walk is null || !driver.IsCoveredBy(walk)).Take(MaxProbes)], probeLimit);

    /// <summary>The drivers without those of which another says all and more, or the same before them.</summary>
    private static IEnumerable<FieldDriver> Undominated(ImmutableArray<FieldDriver> drivers) => drivers.Where((driver, place) => !drivers.Where(
        (other, before) => driver.IsCoveredBy(other) && (before < place || other.Said.Length > driver.Said.Length)).Any());
}
