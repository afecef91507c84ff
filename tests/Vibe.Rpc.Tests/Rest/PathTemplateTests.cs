using Vibe.Rpc.Rest;

namespace Vibe.Rpc.Tests.Rest;

public sealed class PathTemplateTests
{
    [Theory]
    [InlineData("/v1", "v1", "", "")]
    [InlineData("/v1/documents", "v1 documents", "", "")]
    [InlineData("/v1/documents:query", "v1 documents", "", "query")]
    [InlineData("/v1/*/x", "v1 * x", "", "")]
    [InlineData("/v1/**", "v1 **", "", "")]
    [InlineData("/**:read", "**", "", "read")]
    [InlineData("/v1/{id}", "v1 *", "id[1+1]", "")]
    [InlineData("/v1/{id=*}", "v1 *", "id[1+1]", "")]
    [InlineData("/v1/{id}:edges", "v1 *", "id[1+1]", "edges")]
    [InlineData("/v1/{collection}/{key}", "v1 * *", "collection[1+1] key[2+1]", "")]
    [InlineData("/v1/{message.text}", "v1 *", "message.text[1+1]", "")]
    [InlineData("/v1/{name=shelves/*/books/*}:read", "v1 shelves * books *", "name[1+4]m", "read")]
    [InlineData("/v1/{name=**}", "v1 **", "name[1+1]m", "")]
    [InlineData("/v1/{name=files/**}:copy", "v1 files **", "name[1+2]m", "copy")]
    [InlineData("/v1/{kind=books}/{id}", "v1 books *", "kind[1+1] id[2+1]", "")]
    [InlineData("/v1.0/a-b_c~d!$&'()+,;@", "v1.0 a-b_c~d!$&'()+,;@", "", "")]
    public void A_template_parses(string text, string segments, string variables, string verb)
    {
        var template = PathTemplate.Parse(text);

        Assert.Equal(segments, string.Join(' ', template.Segments.Select(segment => segment.Kind switch
        {
            PathSegmentKind.Literal => segment.Literal,
            PathSegmentKind.Any => "*",
            _ => "**",
        })));
        Assert.Equal(variables, string.Join(' ', template.Variables.Select(variable =>
            $"{variable.FieldPath}[{variable.Start}+{variable.Count}]{(variable.IsMultiSegment ? "m" : "")}")));
        Assert.Equal(verb, template.Verb);
    }

    [Theory]
    [InlineData("", "a path starts with '/' at position 0")]
    [InlineData("v1", "a path starts with '/' at position 0")]
    [InlineData("/", "a segment was expected at position 1")]
    [InlineData("/v1/", "a segment was expected at position 4")]
    [InlineData("//v1", "a segment was expected at position 1")]
    [InlineData("/v1/:read", "a segment was expected at position 4")]
    [InlineData("/v1:", "a verb follows ':' at position 4")]
    [InlineData("/v1:a:b", "was expected at position 5")]
    [InlineData("/v1:a/b", "was expected at position 5")]
    [InlineData("/v1/**/x", "nothing but a verb may follow '**' at position 7")]
    [InlineData("/v1/{a=**}/x", "nothing but a verb may follow '**' at position 11")]
    [InlineData("/v1/{a=**/x}", "nothing but a verb may follow '**' at position 10")]
    [InlineData("/v1/{a={b}}", "a variable may not hold another at position 7")]
    [InlineData("/v1/{a", "'}' was expected at position 6")]
    [InlineData("/v1/{}", "a variable names a field at position 5")]
    [InlineData("/v1/{*}", "a variable names a field at position 5")]
    [InlineData("/v1/{a=}", "a segment was expected at position 7")]
    [InlineData("/v1/{a=b:c}", "'}' was expected at position 8")]
    [InlineData("/v1/{a..b}", "'a..b' is not a field path at position 5")]
    [InlineData("/v1/{.a}", "'.a' is not a field path at position 5")]
    [InlineData("/v1/{1a}", "'1a' is not a field path at position 5")]
    [InlineData("/v1/{a-b}", "'a-b' is not a field path at position 5")]
    [InlineData("/v1/{a}/{a}", "'a' is bound twice at position 9")]
    [InlineData("/v1/a}", "was expected at position 5")]
    [InlineData("/v1/x{a}", "was expected at position 5")]
    [InlineData("/v1/{a}x", "was expected at position 7")]
    [InlineData("/v1/a*", "was expected at position 5")]
    [InlineData("/v1/***", "was expected at position 6")]
    [InlineData("/v1/..", "a segment was expected at position 4")]
    [InlineData("/v1/a b", "' ' at position 5 is not allowed")]
    [InlineData("/v1/a%2Fb", "'%' at position 5 is not allowed")]
    [InlineData("/v1/a?b", "'?' at position 5 is not allowed")]
    [InlineData("/v1/é", "'é' at position 4 is not allowed")]
    public void A_bad_template_is_refused_with_the_place(string text, string problem)
    {
        var exception = Assert.Throws<FormatException>(() => PathTemplate.Parse(text));

        Assert.Contains(problem, exception.Message, StringComparison.Ordinal);
        Assert.Contains($"path template '{text}'", exception.Message, StringComparison.Ordinal);
    }
}
