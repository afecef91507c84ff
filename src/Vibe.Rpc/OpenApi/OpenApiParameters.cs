using System.Text.Json.Nodes;
using Google.Protobuf.Reflection;
using Vibe.Rpc.Rest;

namespace Vibe.Rpc.OpenApi;

/// <summary>The path and query parameters of an operation.</summary>
internal sealed class OpenApiParameters(OpenApiSchemas schemas, FieldIndex fields)
{
    // How many messages deep the fields of a request are listed; deeper ones can be set, but would fill pages.
    private const int MaxNesting = 2;

    public JsonArray Of(HttpBinding binding, OpenApiPath path)
    {
        var parameters = new JsonArray([.. path.Parameters.Select(parameter => PathParameter(binding, parameter))]);
        if (binding.Body != BodyKind.Message)
        {
            AddQuery(binding, binding.Method.InputType, "", [], parameters);
        }

        return parameters;
    }

    private JsonObject PathParameter(HttpBinding binding, OpenApiPathParameter parameter)
    {
        var schema = parameter.Variable >= 0 && !parameter.IsPart
            ? schemas.Of(binding.Variables[parameter.Variable].Leaf)
            : new JsonObject { ["type"] = "string" };
        var result = Parameter(parameter.Name, "path", schema);
        result["required"] = true;
        if (parameter.IsPart)
        {
            result["description"] = $"A part of `{binding.Variables[parameter.Variable].Text}`.";
        }

        if (parameter.IsRest)
        {
            result["description"] = $"{result["description"]?.GetValue<string>()} May hold several segments.".Trim();
            result["x-multi-segment"] = true;
        }

        return result;
    }

    private void AddQuery(HttpBinding binding, MessageDescriptor message, string prefix, MessageDescriptor[] above, JsonArray parameters)
    {
        foreach (var field in message.Fields.InFieldNumberOrder())
        {
            // The names of the contract, as its comments, masks and filters use them; the names of JSON are accepted, too.
            var name = prefix + field.Name;
            if (field.IsMap || (prefix.Length == 0 && binding.BodyField == field))
            {
                continue;
            }

            if (fields.TryResolve(binding.Method.InputType, name, out var path, out _))
            {
                if (!binding.Variables.Any(path.Overlaps))
                {
                    var parameter = Parameter(name, "query", schemas.Of(field));
                    Set(parameter, "required", prefix.Length == 0 && IsRequired(field, parameter));
                    Set(parameter, "explode", field.IsRepeated);
                    parameters.Add((JsonNode)parameter);
                }
            }
            else if (!field.IsRepeated && above.Length < MaxNesting && !above.Contains(field.MessageType) && field.MessageType != message
                && WellKnownSchemas.Find(field.MessageType) is null)
            {
                AddQuery(binding, field.MessageType, name + ".", [.. above, message], parameters);
            }
        }
    }

    // AIP-203: a comment says it where no rule can, as for a string that must not be empty.
    private static bool IsRequired(FieldDescriptor field, JsonObject parameter) => OpenApiConstraints.IsRequired(field)
        || parameter["description"]?.GetValue<string>().StartsWith("Required.", StringComparison.Ordinal) == true;

    private static JsonObject Parameter(string name, string place, JsonObject schema)
    {
        var result = new JsonObject { ["name"] = name, ["in"] = place };
        if (schema.Remove("description", out var description))
        {
            result["description"] = description;
        }

        if (schema.Remove("deprecated", out var deprecated))
        {
            result["deprecated"] = deprecated;
        }

        result["schema"] = schema;
        return result;
    }

    private static void Set(JsonObject target, string name, bool value)
    {
        if (value)
        {
            target[name] = true;
        }
    }
}
