using Google.Protobuf.WellKnownTypes;
using Vibe.Client.Filters;
using Vibe.Documents.V1;

namespace Vibe.Client.Live;

/// <summary>
/// The order of a query, as the server has it: absent and others, false, true, numbers, strings by code point. Equal documents go by creation time,
/// unless it or the id is a key, and then by id. tests/vectors/filter/order.json pins it.
/// </summary>
internal sealed class DocumentOrder : IComparer<Document>
{
    private const int OrderedCodePoints = 500;
    private const int Microsecond = 1000;

    private readonly OrderKey[] _keys;

    public DocumentOrder(IReadOnlyList<OrderKey> keys)
    {
        IReadOnlyList<OrderKey> given = keys.Count > 0 ? keys : [new OrderKey(FieldPath.CreateTime, Descending: true)];
        var descending = given[^1].Descending;
        var isUnique = given.Any(static key => key.Field.Core is "create_time" or "id");
        _keys =
        [
            .. given,
            .. isUnique ? (OrderKey[])[] : [new OrderKey(FieldPath.CreateTime, descending)],
            new OrderKey(FieldPath.Id, descending),
        ];
    }

    public int Compare(Document? x, Document? y)
    {
        foreach (var (field, descending) in _keys)
        {
            var order = Compare(field, x!, y!);
            if (order != 0)
            {
                return descending ? -order : order;
            }
        }

        return 0;
    }

    private static int Compare(FieldPath field, Document left, Document right) => field.Core switch
    {
        null => Compare(ValueOf(field, left), ValueOf(field, right)),
        "create_time" => TicksOf(left.CreateTime).CompareTo(TicksOf(right.CreateTime)),
        "update_time" => TicksOf(left.UpdateTime).CompareTo(TicksOf(right.UpdateTime)),
        "revision" => left.Revision.CompareTo(right.Revision),
        "id" => string.CompareOrdinal(left.Id, right.Id),
        "collection" => Compare(left.Collection, right.Collection),
        "owner" => Compare(left.Owner, right.Owner),
        "app" => Compare(left.App, right.App),
        _ => Compare(left.Key, right.Key),
    };

    private static Value? ValueOf(FieldPath field, Document document)
    {
        var value = document.Data is { } data ? Value.ForStruct(data) : null;
        foreach (var key in field.Keys)
        {
            value = value is { KindCase: Value.KindOneofCase.StructValue } && value.StructValue.Fields.TryGetValue(key, out var below) ? below : null;
        }

        return value;
    }

    private static int Compare(Value? left, Value? right)
    {
        var rank = RankOf(left);
        var order = rank - RankOf(right);
        return order != 0 || rank < 3 ? order
            : rank == 3 ? left!.NumberValue.CompareTo(right!.NumberValue)
            : Compare(left!.StringValue, right!.StringValue);
    }

    private static int RankOf(Value? value) => value?.KindCase switch
    {
        Value.KindOneofCase.BoolValue => value.BoolValue ? 2 : 1,
        Value.KindOneofCase.NumberValue => 3,
        Value.KindOneofCase.StringValue => 4,
        _ => 0,
    };

    // By code point, which .NET's order of UTF-16 units is not; the first 500.
    private static int Compare(string left, string right)
    {
        using var rest = right.EnumerateRunes().Take(OrderedCodePoints).GetEnumerator();
        foreach (var rune in left.EnumerateRunes().Take(OrderedCodePoints))
        {
            if (!rest.MoveNext())
            {
                return 1;
            }

            var order = rune.CompareTo(rest.Current);
            if (order != 0)
            {
                return order;
            }
        }

        return rest.MoveNext() ? -1 : 0;
    }

    // Documents have microseconds.
    private static (long Seconds, int Micros) TicksOf(Timestamp? time) => time is null ? (0, 0) : (time.Seconds, time.Nanos / Microsecond);
}
