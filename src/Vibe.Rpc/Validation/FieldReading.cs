using System.Linq.Expressions;
using Google.Protobuf;
using Google.Protobuf.Reflection;

namespace Vibe.Rpc.Validation;

/// <summary>Compiled access to the fields of generated messages: no reflection and no boxing when a message is read.</summary>
internal static class FieldReading
{
    /// <summary>Reads the field as <typeparamref name="T"/>; an enum may be read as int, a list of messages as a list of their interface.</summary>
    public static Func<IMessage, T> Getter<T>(FieldDescriptor field)
    {
        var message = Expression.Parameter(typeof(IMessage), "message");
        Expression value = Property(field, message);
        return Expression.Lambda<Func<IMessage, T>>(value.Type == typeof(T) ? value : Expression.Convert(value, typeof(T)), message).Compile();
    }

    /// <summary>Whether the field is set: present, or for a field without presence not the default, or for a list or map not empty.</summary>
    public static Func<IMessage, bool> IsSet(FieldDescriptor field)
    {
        if (field.HasPresence)
        {
            return field.Accessor.HasValue;
        }

        var message = Expression.Parameter(typeof(IMessage), "message");
        var value = Property(field, message);
        var isSet = value.Type == typeof(string) || value.Type == typeof(ByteString)
            ? Expression.NotEqual(Expression.Property(value, "Length"), Expression.Constant(0))
            : field.IsRepeated
                ? Expression.NotEqual(Expression.Property(value, "Count"), Expression.Constant(0))
                : Expression.NotEqual(value, Expression.Default(value.Type));
        return Expression.Lambda<Func<IMessage, bool>>(isSet, message).Compile();
    }

    private static MemberExpression Property(FieldDescriptor field, ParameterExpression message)
    {
        var type = field.ContainingType.ClrType
            ?? throw new InvalidOperationException($"{field.ContainingType.FullName} has no generated class, so nothing to validate.");
        return Expression.Property(Expression.Convert(message, type), field.PropertyName);
    }
}
