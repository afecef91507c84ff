using Google.Api;
using Google.Protobuf.Reflection;

namespace Vibe.Rpc.Rest;

/// <summary>Reads the <c>google.api.http</c> annotation of a method and checks it, so that a mistake stops the server's start.</summary>
internal static class HttpRules
{
    /// <summary>The bindings of a method: none without an annotation.</summary>
    /// <exception cref="InvalidOperationException">The annotation is wrong; the message names the method.</exception>
    public static IReadOnlyList<HttpBinding> Of(MethodDescriptor method, FieldIndex fields)
    {
        if (method.GetOptions()?.GetExtension(AnnotationsExtensions.Http) is not { } rule)
        {
            return [];
        }

        try
        {
            Check(!method.IsClientStreaming, "a method whose client streams cannot be called by REST");
            Check(rule.Selector is "" || rule.Selector == method.FullName, $"the selector '{rule.Selector}' is another method's");
            Check(rule.AdditionalBindings.All(nested => nested.AdditionalBindings.Count == 0), "additional bindings may not nest");
            return [.. rule.AdditionalBindings.Prepend(rule).Select((binding, index) => Read(method, binding, index, fields))];
        }
        catch (FormatException e)
        {
            throw new InvalidOperationException($"google.api.http of {method.FullName}: {e.Message}", e);
        }
    }

    private static HttpBinding Read(MethodDescriptor method, HttpRule rule, int index, FieldIndex fields)
    {
        var (httpMethod, path) = rule.PatternCase switch
        {
            HttpRule.PatternOneofCase.Get => ("GET", rule.Get),
            HttpRule.PatternOneofCase.Put => ("PUT", rule.Put),
            HttpRule.PatternOneofCase.Post => ("POST", rule.Post),
            HttpRule.PatternOneofCase.Delete => ("DELETE", rule.Delete),
            HttpRule.PatternOneofCase.Patch => ("PATCH", rule.Patch),
            HttpRule.PatternOneofCase.Custom => (rule.Custom.Kind, rule.Custom.Path),
            _ => throw new FormatException("a binding has no HTTP method and path"),
        };

        // OPTIONS, HEAD and TRACE are the server's own to answer, CONNECT is a proxy's.
        Check(httpMethod.Length > 0 && httpMethod.All(char.IsAsciiLetterUpper) && httpMethod is not ("OPTIONS" or "HEAD" or "TRACE" or "CONNECT"),
            $"'{httpMethod}' is not an HTTP method to bind");
        Check(rule.Body is "" || httpMethod is not ("GET" or "DELETE"), $"{httpMethod} has no body");

        var template = PathTemplate.Parse(path);
        var bodyField = rule.Body is "" or "*" ? null : Field(method.InputType, rule.Body, "body");
        var variables = template.Variables.Select(variable => Variable(method, variable, fields)).ToArray();
        for (var i = 0; i < variables.Length; i++)
        {
            Check(!variables[..i].Any(variables[i].Overlaps), $"'{variables[i].Text}' is bound twice");
            Check(bodyField is null || variables[i].Fields.Count > 1 || !variables[i].StartsWith(bodyField),
                $"'{variables[i].Text}' is both in the path and the body");
        }

        return new()
        {
            Method = method,
            Index = index,
            HttpMethod = httpMethod,
            Template = template,
            Variables = variables,
            Body = rule.Body switch { "" => BodyKind.None, "*" => BodyKind.Message, _ => BodyKind.Field },
            BodyField = bodyField,
            ResponseField = rule.ResponseBody is "" ? null : Field(method.OutputType, rule.ResponseBody, "response_body"),
        };
    }

    private static FieldPath Variable(MethodDescriptor method, PathVariable variable, FieldIndex fields)
    {
        if (!fields.TryResolve(method.InputType, variable.FieldPath, out var path, out var problem))
        {
            throw new FormatException($"'{variable.FieldPath}' {problem}");
        }

        Check(!path.Leaf.IsRepeated, $"'{variable.FieldPath}' is repeated");
        return path;
    }

    private static FieldDescriptor Field(MessageDescriptor message, string name, string option) =>
        message.FindFieldByName(name) ?? throw new FormatException($"{option}: {message.FullName} has no field '{name}'");

    private static void Check(bool holds, string problem)
    {
        if (!holds)
        {
            throw new FormatException(problem);
        }
    }
}
