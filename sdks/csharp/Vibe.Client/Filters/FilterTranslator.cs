using System.Collections;
using System.Diagnostics.CodeAnalysis;
using System.Linq.Expressions;
using System.Text.Json;

namespace Vibe.Client.Filters;

/// <summary>Says to the server what a lambda says in C#.</summary>
internal sealed class FilterTranslator(JsonSerializerOptions json)
{
    private FieldReader _fields = null!;
    private OperandText _operands = null!;

    /// <summary>A condition.</summary>
    /// <exception cref="NotSupportedException">A part of it cannot be said.</exception>
    public FilterNode Translate(LambdaExpression condition)
    {
        ArgumentNullException.ThrowIfNull(condition);
        Begin(condition);
        return Condition(condition.Body);
    }

    /// <summary>A field to order by.</summary>
    /// <exception cref="NotSupportedException">It is no field.</exception>
    public FieldPath TranslateField(LambdaExpression field)
    {
        ArgumentNullException.ThrowIfNull(field);
        Begin(field);
        return _fields.Read(field.Body) is { Path: { } path } && (path.Core is not null || path.Keys.Count > 0)
            ? path
            : throw FieldReader.Unsupported(field.Body, "documents are ordered by their fields");
    }

    /// <summary>The value of a part that does not look at the document.</summary>
    public static bool TryEvaluate(Expression expression, out object? value)
    {
        if (expression is ConstantExpression constant)
        {
            value = constant.Value;
            return true;
        }

        if (new ParameterFinder().Finds(expression))
        {
            value = null;
            return false;
        }

        // A span cannot be boxed: it is made of a list that can.
        var plain = expression.Type.IsByRefLike ? FieldReader.Strip(expression) : expression;
        value = Expression.Lambda<Func<object?>>(Expression.Convert(plain, typeof(object))).Compile(preferInterpretation: true)();
        return true;
    }

    private void Begin(LambdaExpression lambda)
    {
        json.MakeReadOnly(populateMissingResolver: true);
        _fields = new FieldReader(json, lambda.Parameters[0], lambda.Parameters.ElementAtOrDefault(1));
        _operands = new OperandText(json);
    }

    private FilterNode Condition(Expression expression)
    {
        if (expression.Type == typeof(bool) && TryEvaluate(expression, out var constant))
        {
            return constant is true ? FilterNode.True : FilterNode.False;
        }

        return expression switch
        {
            BinaryExpression { NodeType: ExpressionType.AndAlso or ExpressionType.And } both => FilterNode.All([Condition(both.Left), Condition(both.Right)]),
            BinaryExpression { NodeType: ExpressionType.OrElse or ExpressionType.Or } either => FilterNode.Any([Condition(either.Left), Condition(either.Right)]),
            UnaryExpression { NodeType: ExpressionType.Not } not => FilterNode.Not(Condition(not.Operand)),
            BinaryExpression binary => Comparison(binary),
            MethodCallExpression call when _fields.Read(call) is null => Call(call),
            MemberExpression { Member.Name: nameof(Nullable<int>.HasValue), Expression: { } nullable } when _fields.Read(nullable) is { } field => IsSet(field),
            _ => _fields.Read(expression) is { } field && (Nullable.GetUnderlyingType(field.Type) ?? field.Type) is var type
                && (type == typeof(bool) || !type.IsValueType)
                ? FilterNode.Compare(field.Path.ToString(), "=", "true")
                : throw FieldReader.Unsupported(expression, "it is no condition that the server knows"),
        };
    }

    private FilterNode Comparison(BinaryExpression comparison)
    {
        var (left, right, type) = (comparison.Left, comparison.Right, comparison.NodeType);
        if (_fields.Read(left) is null && _fields.Read(right) is not null)
        {
            (left, right, type) = (right, left, Mirror(type));
        }

        if (left is MethodCallExpression { Method: { Name: nameof(string.CompareOrdinal), DeclaringType: var owner } } compare
            && owner == typeof(string) && compare.Arguments is [var text, var other] && TryEvaluate(right, out var zero) && zero is 0)
        {
            (left, right) = (text, other);
        }

        var field = _fields.Read(left) ?? throw FieldReader.Unsupported(comparison, "one side has to be a field of the document");
        if (!TryEvaluate(right, out var value))
        {
            throw FieldReader.Unsupported(comparison, "a field is compared with a value, not with another field");
        }

        var op = OperatorOf(comparison, type);
        if (value is null)
        {
            return op switch
            {
                "=" => FilterNode.Not(IsSet(field)),
                "!=" => IsSet(field),
                _ => throw FieldReader.Unsupported(comparison, "nothing is less or greater than null"),
            };
        }

        if (op is not ("=" or "!=") && !field.Path.IsTime && value is DateTime or DateTimeOffset)
        {
            throw FieldReader.Unsupported(comparison, "a time in a body is text, whose order is not that of time; compare with text of a fixed form");
        }

        var equal = FilterNode.Compare(field.Path.ToString(), op == "!=" ? "=" : op, _operands.Of(field, value, comparison));
        return op == "!=" ? FilterNode.Not(equal) : equal;
    }

    // What is absent, and a null of JSON, are both null in C#.
    private static FilterNode IsSet(NamedField field) => FilterNode.All(
        [FilterNode.Compare(field.Path.ToString(), "exists", ""), FilterNode.Not(FilterNode.Compare(field.Path.ToString(), "=", "null"))]);

    private FilterNode Call(MethodCallExpression call)
    {
        if (call.Method.DeclaringType == typeof(VibeFilter))
        {
            var field = _fields.Read(call.Arguments[0]) ?? throw FieldReader.Unsupported(call.Arguments[0], "it is no field of the document");
            return call.Method.Name == nameof(VibeFilter.Exists)
                ? FilterNode.Compare(field.Path.ToString(), "exists", "")
                : FilterNode.Compare(field.Path.ToString(), "match", _operands.Of(field, ValueOf(call.Arguments[1]), call));
        }

        return call.Method.Name switch
        {
            nameof(string.StartsWith) when call.Object is { } text && text.Type == typeof(string) && _fields.Read(text) is { } field && IsOrdinal(call) =>
                FilterNode.Compare(field.Path.ToString(), "starts_with", _operands.Of(field, ValueOf(call.Arguments[0]), call)),
            nameof(Equals) when call.Object is { } left && call.Arguments is [var right] => Comparison(Expression.Equal(left, Expression.Convert(right, left.Type))),
            nameof(Enumerable.Contains) => Contains(call),
            _ => throw FieldReader.Unsupported(call, $"{call.Method.Name} is nothing that the server knows"),
        };
    }

    // A list of the document with a value, or a list of values with a field of the document.
    private FilterNode Contains(MethodCallExpression call)
    {
        var (list, item) = call switch
        {
            { Object: { } instance, Arguments: [var only] } => (instance, only),
            { Object: null, Arguments: [var first, var second] } => (first, second),
            { Object: null, Arguments: [var first, var second, ConstantExpression { Value: null }] } => (first, second),
            _ => throw FieldReader.Unsupported(call, "a comparer cannot be sent"),
        };
        if (_fields.Read(list) is { } listField)
        {
            if (listField.Type == typeof(string))
            {
                throw FieldReader.Unsupported(call, "a text is searched by VibeFilter.Match or by SearchAsync");
            }

            return FilterNode.Compare(listField.Path.ToString(), "contains", _operands.OfItem(ValueOf(item), call));
        }

        var field = _fields.Read(item) ?? throw FieldReader.Unsupported(call, "one of the two has to be a field of the document");
        if (!TryEvaluate(list, out var values) || values is not IEnumerable items || values is string)
        {
            throw FieldReader.Unsupported(call, "the values have to be a list");
        }

        var operands = items.Cast<object?>().Select(value => value is null ? "null" : _operands.Of(field, value, call));
        return FilterNode.Compare(field.Path.ToString(), "in", $"[{string.Join(", ", operands)}]");
    }

    private static bool IsOrdinal(MethodCallExpression call) => call.Arguments.Count switch
    {
        1 => true,
        2 when TryEvaluate(call.Arguments[1], out var comparison) && comparison is StringComparison.Ordinal => true,
        _ => throw FieldReader.Unsupported(call, "the server compares ordinally: StringComparison.Ordinal"),
    };

    private static object? ValueOf(Expression expression) => TryEvaluate(expression, out var value)
        ? value
        : throw FieldReader.Unsupported(expression, "a value is needed here, not a field");

    private static string OperatorOf(BinaryExpression comparison, ExpressionType type) => type switch
    {
        ExpressionType.Equal => "=",
        ExpressionType.NotEqual => "!=",
        ExpressionType.LessThan => "<",
        ExpressionType.LessThanOrEqual => "<=",
        ExpressionType.GreaterThan => ">",
        ExpressionType.GreaterThanOrEqual => ">=",
        _ => throw FieldReader.Unsupported(comparison, "the server does not compute"),
    };

    private static ExpressionType Mirror(ExpressionType type) => type switch
    {
        ExpressionType.LessThan => ExpressionType.GreaterThan,
        ExpressionType.LessThanOrEqual => ExpressionType.GreaterThanOrEqual,
        ExpressionType.GreaterThan => ExpressionType.LessThan,
        ExpressionType.GreaterThanOrEqual => ExpressionType.LessThanOrEqual,
        _ => type,
    };

    private sealed class ParameterFinder : ExpressionVisitor
    {
        private bool _found;

        public bool Finds(Expression expression)
        {
            Visit(expression);
            return _found;
        }

        [return: NotNullIfNotNull(nameof(node))]
        public override Expression? Visit(Expression? node) => _found ? node : base.Visit(node);

        protected override Expression VisitParameter(ParameterExpression node)
        {
            _found = true;
            return node;
        }
    }
}
