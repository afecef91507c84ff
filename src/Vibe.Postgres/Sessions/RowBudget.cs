namespace Vibe.Postgres.Sessions;

/// <summary>How much the rows of a statement may weigh together: the row that reaches the limit is the last one that is kept.</summary>
/// <param name="WeightOf">What a row weighs, for example its bytes.</param>
/// <param name="Most">The limit.</param>
public sealed record RowBudget<T>(Func<T, long> WeightOf, long Most)
{
    /// <summary>Whether rows were left out, or could have been.</summary>
    public bool IsSpentBy(IEnumerable<T> rows) => rows.Sum(WeightOf) >= Most;
}
