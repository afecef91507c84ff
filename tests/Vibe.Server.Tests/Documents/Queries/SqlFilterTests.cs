using Vibe.Documents.V1;
using Vibe.Postgres.Tests;
using Vibe.Server.Documents.Queries;

namespace Vibe.Server.Tests.Documents.Queries;

[Collection(PostgresCollection.Name)]
public sealed class SqlFilterTests(QueryCorpus corpus) : IClassFixture<QueryCorpus>
{
    [Fact]
    public async Task PostgreSQL_and_the_evaluator_agree_on_every_filter()
    {
        var mixed = 0;
        for (var i = 0; i < 1500; i++)
        {
            var filter = i % 2 == 0 ? FilterForm.Canonical(corpus.Random.Filter()) : FilterForm.Canonical(corpus.Random.Compare(corpus.Random.Path()));
            var condition = SqlFilter.Compile(filter);
            var answers = await corpus.Database.Admin.QueryAsync(
                $"select d.id, {condition} from vibe.documents d where d.delete_time is null",
                static row => (Id: row.GetGuid(0), Matches: row.GetBooleanOrNull(1)),
                CancellationToken.None);
            var expected = corpus.Documents.ToDictionary(document => document.View.Id, document => filter.Matches(document.View));

            var wrong = answers.Where(answer => answer.Matches != expected[answer.Id]).ToList();
            Assert.True(wrong.Count == 0, $"{FilterPrinter.Print(filter)}\n{string.Join('\n', wrong.Take(3).Select(Describe))}\n{condition}");
            mixed += expected.ContainsValue(true) && expected.ContainsValue(false) ? 1 : 0;
        }

        // A filter that is true, or false, for every document proves little.
        Assert.True(mixed > 500, $"only {mixed} filters told documents apart");
    }

    [Fact]
    public void Everything_a_filter_takes_from_outside_is_a_parameter()
    {
        var random = new RandomQueries(11);
        for (var i = 0; i < 2000; i++)
        {
            var compare = random.Compare(random.DataPath());
            var other = compare.Op == Operator.In
                ? ComparisonRules.In(FieldPath.Of("data", [.. compare.Field.Keys.Select(key => key + "'x")]), [.. compare.Items, .. compare.Items])
                : Renamed(compare);

            // The same shape with other names and values has the same text, so none of them is in it.
            Assert.Equal(SqlFilter.Compile(compare).ToString(), SqlFilter.Compile(other).ToString());
        }

    }

    private static CompareNode Renamed(CompareNode compare)
    {
        var field = FieldPath.Of("data", [.. compare.Field.Keys.Select(key => key + "'; --")]);
        return compare.Op == Operator.Exists ? ComparisonRules.Exists(field) : ComparisonRules.Compare(field, compare.Op, compare.Value.Kind switch
        {
            ScalarKind.Text when compare.Words.Words.Length > 0 => JsonScalar.Of("other \"words"),
            ScalarKind.Text when compare.Op != Operator.Match => JsonScalar.Of("'; drop table vibe.documents; --"),
            ScalarKind.Number => JsonScalar.Of(compare.Value.Number + 42),
            _ => compare.Value,
        });
    }

    private string Describe((Guid Id, bool? Matches) answer) =>
        $"{answer.Matches} for {corpus.Documents.First(document => document.View.Id == answer.Id).View.Data}";
}
