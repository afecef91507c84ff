using System.Buffers.Binary;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;

namespace Vibe.Server.Documents.Queries;

/// <summary>
/// The values of the fields before the last of a composite index, as <c>doc_fields.grp</c> holds them; <c>vibe.field_group</c>
/// writes the same. Values that are equal for a filter have equal groups. Groups are exact while they are short: long ones are
/// hashed, strings count with their first code points, and null stands with absent and others, so the filter looks again.
/// </summary>
internal static class FieldGroup
{
    private const int MaxBytes = 64;

    /// <summary>The group of the values, and whether it is of no others.</summary>
    /// <param name="values">One value a field, in the order of the index.</param>
    public static (string Text, bool IsExact) Of(IEnumerable<JsonScalar> values)
    {
        var text = new StringBuilder();
        var isExact = true;
        foreach (var value in values)
        {
            Append(text, value);
            isExact &= value.Kind != ScalarKind.Null;
        }

        var bytes = Encoding.UTF8.GetBytes(text.ToString());
        return bytes.Length <= MaxBytes ? (text.ToString(), isExact) : ($"#{Convert.ToHexStringLower(SHA256.HashData(bytes).AsSpan(0, 16))}", false);
    }

    // Each says where it ends, so that no two lists of values look the same.
    private static void Append(StringBuilder text, JsonScalar value)
    {
        switch (value.Kind)
        {
            case ScalarKind.Bool:
                text.Append(value.Bool ? OrderRank.True : OrderRank.False);
                break;
            case ScalarKind.Number:
                Span<byte> bytes = stackalloc byte[sizeof(double)];
                BinaryPrimitives.WriteDoubleBigEndian(bytes, value.Number);
                text.Append(OrderRank.Number).Append(Convert.ToHexStringLower(bytes));
                break;
            case ScalarKind.Text:
                var cut = CodePoints.Take(value.Text, QueryLimits.OrderedCodePoints);
                text.Append(OrderRank.Text).Append(CultureInfo.InvariantCulture, $"{Encoding.UTF8.GetByteCount(cut)}:").Append(cut);
                break;
            default:
                text.Append(OrderRank.Other);
                break;
        }
    }
}
