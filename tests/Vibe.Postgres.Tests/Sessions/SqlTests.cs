using FsCheck;
using FsCheck.Fluent;
using Vibe.Postgres.Sessions;

namespace Vibe.Postgres.Tests.Sessions;

public sealed class SqlTests
{
    [Fact]
    public void Holes_become_numbered_parameters()
    {
        Sql sql = $"select {1}, {"two"} from x where y = {3.0}";

        Assert.Equal("select $1, $2 from x where y = $3", sql.ToString());
    }

    [Fact]
    public void No_value_of_a_hole_is_ever_in_the_text() => Prop.ForAll(
        ArbMap.Default.ArbFor<NonNull<string>>(),
        ArbMap.Default.ArbFor<string[]>(),
        static (text, texts) =>
        {
            // A marker that literal SQL cannot hold, so that "not in the text" is meaningful for short values too.
            var value = "\u0001" + text.Get + "'; drop table vibe.item; --";
            var values = texts.Select(static one => "\u0001" + one).ToArray();
            Sql filter = $"a = {value} and b = any({values})";
            Sql sql = $"select {value} from t where {filter} or {Sql.Join($" or ", [filter, $"c = {value}"])}";

            var rendered = sql.ToString();
            return !rendered.Contains('\u0001', StringComparison.Ordinal)
                && rendered == "select $1 from t where a = $2 and b = any($3) or a = $2 and b = any($3) or c = $4";
        }).QuickCheckThrowOnFailure();

    [Fact]
    public void Equal_shapes_have_the_same_text_object()
    {
        static Sql Shape(int value, bool extra)
        {
            Sql filter = extra ? (Sql)$" and z = {value}" : Sql.Empty;
            return $"select x from y where id = {value}{filter}";
        }

        Assert.Same(Shape(1, extra: true).ToString(), Shape(2, extra: true).ToString());
        Assert.Equal("select x from y where id = $1", Shape(1, extra: false).ToString());
    }

    [Fact]
    public void A_fragment_used_twice_shares_its_parameters()
    {
        Sql filter = $"a = {1}";

        Assert.Equal("select a = $1 union all select a = $1", ((Sql)$"select {filter} union all select {filter}").ToString());
    }

    [Fact]
    public void Joining_leaves_out_empty_fragments()
    {
        Sql joined = Sql.Join($" and ", [Sql.Empty, $"a = {1}", Sql.Empty, $"b = {2}"]);

        Assert.Equal("a = $1 and b = $2", joined.ToString());
        Assert.True(Sql.Join($" and ", []).IsEmpty);
    }

    [Fact]
    public void Long_statements_are_rendered_whole()
    {
        var values = Enumerable.Range(0, 2000).ToArray();
        var text = Sql.Join($", ", values.Select(static value => (Sql)$"{value}")).ToString();

        Assert.Equal(string.Join(", ", values.Select(static value => $"${value + 1}")), text);
    }
}
