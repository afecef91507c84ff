using System.Text;

namespace Vibe.Rpc.Json;

/// <summary>Finds the path of a place in the wire form of a Struct, by walking down again: only errors need it.</summary>
internal static class StructPath
{
    /// <summary>The path of the innermost value that holds the byte at an offset, as far as the bytes before it are well-formed.</summary>
    public static string At(ReadOnlySpan<byte> wire, int offset)
    {
        var path = new StringBuilder();
        var part = new StructWire.Part(0, wire.Length);
        var kind = StructWire.Struct;
        while (kind == StructWire.Struct ? Member(wire, offset, ref part, path) : Item(wire, offset, ref part, path))
        {
            if (part.Length == 0 || wire[part.Start] is not (StructWire.Struct or StructWire.List) || path.Length > 1000)
            {
                break;
            }

            kind = wire[part.Start];
            if (!TryContent(wire, new(part.Start + 1, part.Length - 1), out part))
            {
                break;
            }
        }

        return JsonPath.Cut(path);
    }

    private static bool Member(ReadOnlySpan<byte> wire, int offset, ref StructWire.Part part, StringBuilder path)
    {
        var rest = part;
        while (rest.Length > 1 && wire[rest.Start] == StructWire.Field1 && TryContent(wire, new(rest.Start + 1, rest.Length - 1), out var entry))
        {
            if (offset < entry.End)
            {
                // Only the usual order has a name to show: key, then value.
                if (entry.Length < 2 || wire[entry.Start] != StructWire.Field1
                    || !TryContent(wire, new(entry.Start + 1, entry.Length - 1), out var key))
                {
                    return false;
                }

                JsonPath.AppendName(path, key.In(wire));
                return key.End < entry.End && wire[key.End] == StructWire.EntryValue
                    && TryContent(wire, new(key.End + 1, entry.End - key.End - 1), out part);
            }

            rest = new(entry.End, rest.End - entry.End);
        }

        return false;
    }

    private static bool Item(ReadOnlySpan<byte> wire, int offset, ref StructWire.Part part, StringBuilder path)
    {
        var rest = part;
        for (var index = 0; rest.Length > 1 && wire[rest.Start] == StructWire.Field1; index++)
        {
            if (!TryContent(wire, new(rest.Start + 1, rest.Length - 1), out var item))
            {
                return false;
            }

            if (offset < item.End)
            {
                path.Append('[').Append(index).Append(']');
                part = item;
                return true;
            }

            rest = new(item.End, rest.End - item.End);
        }

        return false;
    }

    private static bool TryContent(ReadOnlySpan<byte> wire, StructWire.Part at, out StructWire.Part content)
    {
        content = default;
        ulong length = 0;
        for (var (position, shift) = (at.Start, 0); position < at.End && shift < 35; shift += 7)
        {
            var next = wire[position++];
            length |= (ulong)(next & 0x7F) << shift;
            if (next <= 0x7F)
            {
                content = new(position, (int)Math.Min(length, (ulong)(at.End - position)));
                return length <= (ulong)(at.End - position);
            }
        }

        return false;
    }
}
