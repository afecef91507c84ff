using System.Collections.Immutable;

namespace Vibe.Server.Documents.Queries;

/// <summary>A <see cref="Place"/> as it travels inside a page token, which is signed.</summary>
internal static class PlaceBytes
{
    /// <summary>The bytes.</summary>
    public static byte[] Write(Place place)
    {
        using var bytes = new MemoryStream();
        using var writer = new BinaryWriter(bytes);
        foreach (var value in place.Values)
        {
            writer.Write(value.Rank);
            writer.Write(value.Number);
            writer.Write(value.Integer);
            writer.Write(value.Text);
        }

        writer.Write(place.Id.ToByteArray(bigEndian: true));
        return bytes.ToArray();
    }

    /// <summary>The place, in an order of as many keys.</summary>
    public static Place Read(DocumentOrder order, byte[] bytes)
    {
        using var reader = new BinaryReader(new MemoryStream(bytes));
        var values = ImmutableArray.CreateBuilder<OrderValue>(order.Keys.Length);
        for (var i = 0; i < order.Keys.Length; i++)
        {
            values.Add(new OrderValue(reader.ReadByte(), reader.ReadDouble(), reader.ReadInt64(), reader.ReadString()));
        }

        return new Place(values.MoveToImmutable(), new Guid(reader.ReadBytes(16), bigEndian: true));
    }
}
