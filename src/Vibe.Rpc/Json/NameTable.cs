using System.Numerics;
using System.Text;

namespace Vibe.Rpc.Json;

/// <summary>Finds what a UTF-8 name stands for, without making a string. Filled once, then read by any thread.</summary>
internal sealed class NameTable<T>
{
    private readonly (byte[] Name, T Value)[] _slots;

    /// <summary>Fills the table; of equal names the first stays.</summary>
    public NameTable(IReadOnlyCollection<(string Name, T Value)> names)
    {
        _slots = new (byte[], T)[BitOperations.RoundUpToPowerOf2((uint)Math.Max(4, names.Count * 2))];
        foreach (var (name, value) in names)
        {
            var bytes = Encoding.UTF8.GetBytes(name);
            if (!TryFind(bytes, out _, out var slot))
            {
                _slots[slot] = (bytes, value);
            }
        }
    }

    /// <summary>Looks a name up.</summary>
    public bool TryFind(ReadOnlySpan<byte> name, out T value) => TryFind(name, out value, out _);

    private bool TryFind(ReadOnlySpan<byte> name, out T value, out int slot)
    {
        for (slot = Hash(name); _slots[slot].Name is { } known; slot = (slot + 1) & (_slots.Length - 1))
        {
            if (name.SequenceEqual(known))
            {
                value = _slots[slot].Value;
                return true;
            }
        }

        value = default!;
        return false;
    }

    // The names come from descriptors, so nobody can choose them to collide.
    private int Hash(ReadOnlySpan<byte> name)
    {
        var hash = (uint)name.Length;
        if (!name.IsEmpty)
        {
            hash = (hash * 31) + name[0];
            hash = (hash * 31) + name[name.Length / 2];
            hash = (hash * 31) + name[^1];
        }

        return (int)((hash * 0x9E3779B1) >> 16) & (_slots.Length - 1);
    }
}
