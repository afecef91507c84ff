using System.Linq.Expressions;
using System.Reflection;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization;
using System.Text.Json.Serialization.Metadata;

namespace Vibe.Client.Filters;

/// <summary>A field that an expression names.</summary>
/// <param name="Path">The field.</param>
/// <param name="Type">Its type in C#.</param>
/// <param name="Converter">How the property alone becomes JSON; null when its type decides.</param>
internal sealed record NamedField(FieldPath Path, Type Type, JsonConverter? Converter);

/// <summary>Reads which field of a document an expression names: <c>n.Address.City</c>, <c>d.CreateTime</c>, <c>n["title"]</c>.</summary>
internal sealed class FieldReader(JsonSerializerOptions json, ParameterExpression body, ParameterExpression? document)
{
    /// <summary>The field; null when the expression is none.</summary>
    /// <exception cref="NotSupportedException">It looks like one, and is not stored.</exception>
    public NamedField? Read(Expression expression)
    {
        expression = Strip(expression);
        switch (expression)
        {
            case ParameterExpression parameter when parameter == body:
                return new NamedField(FieldPath.Body, parameter.Type, null);
            case MemberExpression { Expression: { } owner, Member: PropertyInfo or FieldInfo } member:
                return ReadMember(member, Strip(owner));
            case IndexExpression { Object: { } container, Arguments: [var key] }:
                return ReadKey(container, key, expression);
            case MethodCallExpression { Method.Name: "get_Item", Object: { } container, Arguments: [var key] }:
                return ReadKey(container, key, expression);
            default:
                return null;
        }
    }

    /// <summary>The expression without conversions: C# adds some that the server does not need.</summary>
    public static Expression Strip(Expression expression)
    {
        while (true)
        {
            switch (expression)
            {
                case UnaryExpression { NodeType: ExpressionType.Convert or ExpressionType.ConvertChecked or ExpressionType.TypeAs } convert:
                    expression = convert.Operand;
                    break;
                case MethodCallExpression { Method.Name: "op_Implicit" or "op_Explicit", Object: null, Arguments: [var converted] }:
                    expression = converted;
                    break;
                case MethodCallExpression { Method.Name: nameof(JsonNode.GetValue) or nameof(JsonNode.AsValue), Object: { } node } call
                    when typeof(JsonNode).IsAssignableFrom(call.Method.DeclaringType):
                    expression = node;
                    break;
                case MemberExpression { Member.Name: nameof(Nullable<int>.Value), Expression: { } nullable }
                    when Nullable.GetUnderlyingType(nullable.Type) is not null:
                    expression = nullable;
                    break;
                default:
                    return expression;
            }
        }
    }

    private NamedField? ReadMember(MemberExpression member, Expression owner)
    {
        if (document is not null && owner == document)
        {
            return member.Member.Name switch
            {
                nameof(Document<object>.Data) => new NamedField(FieldPath.Body, member.Type, null),
                nameof(Document<object>.Id) => Core("id", member.Type),
                nameof(Document<object>.Collection) => Core("collection", member.Type),
                nameof(Document<object>.Owner) => Core("owner", member.Type),
                nameof(Document<object>.App) => Core("app", member.Type),
                nameof(Document<object>.Key) => Core("key", member.Type),
                nameof(Document<object>.CreateTime) => Core("create_time", member.Type),
                nameof(Document<object>.UpdateTime) => Core("update_time", member.Type),
                nameof(Document<object>.Revision) => Core("revision", member.Type),
                _ => throw Unsupported(member, "no condition can look at it"),
            };
        }

        if (Read(owner) is not { Path: { Core: null } path })
        {
            return null;
        }

        var property = json.GetTypeInfo(owner.Type) is { Kind: JsonTypeInfoKind.Object } info
            ? info.Properties.FirstOrDefault(property => property.AttributeProvider is MemberInfo known && known.Name == member.Member.Name)
            : null;
        return property is { Get: not null } or { Set: not null }
            ? new NamedField(path.Below(property.Name), member.Type, property.CustomConverter)
            : throw Unsupported(member, $"{member.Member.Name} is not a part of the JSON of {owner.Type.Name}");
    }

    private NamedField? ReadKey(Expression container, Expression key, Expression whole)
    {
        if (Read(container) is not { Path: { Core: null } path })
        {
            return null;
        }

        return FilterTranslator.TryEvaluate(key, out var value) && value is string name
            ? new NamedField(path.Below(name), whole.Type, null)
            : throw Unsupported(whole, "only keys of objects name a field, not positions in a list");
    }

    private static NamedField Core(string name, Type type) => new(new FieldPath(name, []), type, null);

    internal static NotSupportedException Unsupported(Expression part, string why) =>
        new($"`{part}` cannot be part of a query: {why}. The text form may say it: Where(\"data.title = 'x'\").");
}
