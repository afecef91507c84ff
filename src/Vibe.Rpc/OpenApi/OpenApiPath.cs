using System.Globalization;
using System.Text;
using Vibe.Rpc.Rest;

namespace Vibe.Rpc.OpenApi;

/// <summary>A parameter of an OpenAPI path.</summary>
/// <param name="Name">Unique in the path.</param>
/// <param name="Variable">Index of the path template's variable that it is, or is a part of; -1 for a wildcard outside of variables.</param>
/// <param name="IsPart">Whether the variable has further parts.</param>
/// <param name="IsRest">Whether it may hold slashes: <c>**</c>.</param>
internal sealed record OpenApiPathParameter(string Name, int Variable, bool IsPart, bool IsRest);

/// <summary>
/// A path template in OpenAPI's form, where a parameter is one segment: <c>/v1/{name=shelves/*/books/*}:read</c> becomes
/// <c>/v1/shelves/{shelves}/books/{books}:read</c>.
/// </summary>
internal sealed record OpenApiPath(string Text, IReadOnlyList<OpenApiPathParameter> Parameters)
{
    /// <summary>Makes the path; with names given, its parameters get those instead of their own.</summary>
    public static OpenApiPath Of(PathTemplate template, IReadOnlyList<string>? names = null)
    {
        var text = new StringBuilder();
        var parameters = new List<OpenApiPathParameter>();
        for (var i = 0; i < template.Segments.Count; i++)
        {
            text.Append('/');
            var segment = template.Segments[i];
            if (segment.Kind == PathSegmentKind.Literal)
            {
                text.Append(segment.Literal);
                continue;
            }

            var parameter = Parameter(template, i, parameters);
            parameters.Add(names is null ? parameter : parameter with { Name = names[parameters.Count] });
            text.Append('{').Append(parameters[^1].Name).Append('}');
        }

        return new(template.Verb.Length == 0 ? text.ToString() : text.Append(':').Append(template.Verb).ToString(), parameters);
    }

    /// <summary>What paths that differ only in the names of parameters have in common: OpenAPI takes them for one.</summary>
    public static string Shape(PathTemplate template) =>
        string.Concat(template.Segments.Select(segment => segment.Kind == PathSegmentKind.Literal ? "/" + segment.Literal : "/{}"))
        + ":" + template.Verb;

    private static OpenApiPathParameter Parameter(PathTemplate template, int segment, List<OpenApiPathParameter> before)
    {
        var variable = template.Variables.ToList().FindIndex(v => segment >= v.Start && segment < v.Start + v.Count);
        var isPart = variable >= 0 && template.Variables[variable].Count > 1;
        var name = variable >= 0 && !isPart ? template.Variables[variable].FieldPath
            : segment > 0 && template.Segments[segment - 1].Kind == PathSegmentKind.Literal ? template.Segments[segment - 1].Literal
            : "segment";
        var unique = name;
        for (var n = 2; before.Exists(parameter => parameter.Name == unique); n++)
        {
            unique = string.Create(CultureInfo.InvariantCulture, $"{name}{n}");
        }

        return new(unique, variable, isPart, template.Segments[segment].Kind == PathSegmentKind.Rest);
    }
}
