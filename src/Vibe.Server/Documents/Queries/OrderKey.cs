using System.Collections.Immutable;
using System.Text.Json;

namespace Vibe.Server.Documents.Queries;

/// <summary>One key to order by.</summary>
/// <param name="Field">The field.</param>
/// <param name="Descending">Largest first.</param>
internal sealed record OrderKey(FieldPath Field, bool Descending);

/// <summary>Where a value stands in an order: rank first, then the one property that means something for the rank.</summary>
/// <param name="Rank">See <see cref="OrderRank"/>.</param>
/// <param name="Number">The number of a number.</param>
/// <param name="Integer">The microseconds of a time, the revision.</param>
/// <param name="Text">The first code points of a string.</param>
internal readonly record struct OrderValue(byte Rank, double Number, long Integer, string Text)
{
    /// <summary>Less than zero when the left value comes first.</summary>
    public static int Compare(in OrderValue left, in OrderValue right)
    {
        var order = left.Rank.CompareTo(right.Rank);
        order = order != 0 ? order : left.Number.CompareTo(right.Number);
        order = order != 0 ? order : left.Integer.CompareTo(right.Integer);
        return order != 0 ? order : CodePoints.Compare(left.Text, right.Text);
    }
}

/// <summary>The ranks of values in an order, lowest first; `doc_fields.rank` holds the same numbers.</summary>
internal static class OrderRank
{
    /// <summary>Absent, or none of the others.</summary>
    public const byte Other = 0;
    public const byte False = 1;
    public const byte True = 2;
    public const byte Number = 3;
    public const byte Text = 4;
}

/// <summary>
/// Where a document stands in an order: the values of the keys, then the id. The last row's place is what a page token
/// remembers.
/// </summary>
/// <param name="Values">One value a key.</param>
/// <param name="Id">The id of the document.</param>
internal sealed record Place(ImmutableArray<OrderValue> Values, Guid Id);

/// <summary>An order of documents.</summary>
internal sealed class DocumentOrder
{
    /// <summary>Newest first: what an empty `order_by` means.</summary>
    public static readonly DocumentOrder NewestFirst = new([new OrderKey(FieldPath.CreateTime, Descending: true)]);

    /// <summary>An order by the keys; newest first when there is none.</summary>
    public static DocumentOrder Of(ImmutableArray<OrderKey> keys) => keys.IsEmpty ? NewestFirst : new DocumentOrder(keys);

    private readonly int _given;

    private DocumentOrder(ImmutableArray<OrderKey> keys)
    {
        _given = keys.Length;
        Keys = keys.Any(static key => key.Field.CoreField is CoreField.CreateTime or CoreField.Id)
            ? keys
            : keys.Add(new OrderKey(FieldPath.CreateTime, keys[^1].Descending));
    }

    /// <summary>
    /// The keys given and, unless it or the id is among them, the creation time in the direction of the last: an index
    /// entry then stands where both the order by its field and the newest with one value find it. The id follows in the
    /// direction of the last.
    /// </summary>
    public ImmutableArray<OrderKey> Keys { get; }

    /// <summary>Whether equal documents stand with the largest id first.</summary>
    public bool IdDescending => Keys[^1].Descending;

    /// <summary>The canonical text, for example <c>data.name, create_time desc</c>.</summary>
    public override string ToString() =>
        string.Join(", ", Keys.Take(_given).Select(key => key.Descending ? $"{key.Field} desc" : key.Field.Text));

    /// <summary>The place of a document.</summary>
    public Place PlaceOf(in DocumentView document)
    {
        var values = ImmutableArray.CreateBuilder<OrderValue>(Keys.Length);
        foreach (var key in Keys)
        {
            values.Add(ValueOf(key.Field, document));
        }

        return new Place(values.MoveToImmutable(), document.Id);
    }

    /// <summary>Compares two places, made with an order of the same keys.</summary>
    public int Compare(Place left, Place right)
    {
        for (var i = 0; i < Keys.Length; i++)
        {
            var order = OrderValue.Compare(left.Values[i], right.Values[i]);
            if (order != 0)
            {
                return Keys[i].Descending ? -order : order;
            }
        }

        // Guids compare as their text does, and as PostgreSQL does: most significant byte first.
        return IdDescending ? right.Id.CompareTo(left.Id) : left.Id.CompareTo(right.Id);
    }

    private static OrderValue ValueOf(FieldPath field, in DocumentView document) => field.CoreField switch
    {
        CoreField.None => document.TryGet(field, out var value) ? ValueOf(value) : default(OrderValue) with { Text = "" },
        CoreField.CreateTime => new(OrderRank.Number, 0, document.CreateTime, ""),
        CoreField.UpdateTime => new(OrderRank.Number, 0, document.UpdateTime, ""),
        CoreField.Revision => new(OrderRank.Number, 0, document.Revision, ""),
        var core => document.TextOf(core) is { } text ? OfText(text) : default(OrderValue) with { Text = "" },
    };

    private static OrderValue ValueOf(JsonElement value) => value.ValueKind switch
    {
        JsonValueKind.False => new(OrderRank.False, 0, 0, ""),
        JsonValueKind.True => new(OrderRank.True, 0, 0, ""),
        // Adding zero makes the negative zero positive: the two are equal here, a comparison of bits would tell them apart.
        JsonValueKind.Number => new(OrderRank.Number, value.GetDouble() + 0.0, 0, ""),
        JsonValueKind.String => OfText(value.GetString()!),
        _ => new(OrderRank.Other, 0, 0, ""),
    };

    private static OrderValue OfText(string text) =>
        new(OrderRank.Text, 0, 0, CodePoints.Take(text, QueryLimits.OrderedCodePoints));
}
