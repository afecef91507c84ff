using System.Buffers;
using System.Buffers.Binary;
using System.Runtime.InteropServices;
using System.Security.Cryptography;

namespace Vibe.Rpc.Json;

/// <summary>
/// Finds keys that an object has twice, for objects nested in each other, in time that no input can make quadratic.
/// </summary>
/// <remarks>
/// The keys of an object lie together above those of its parents. Up to <see cref="ScanLimit"/> keys a vectorized scan of their hashes
/// answers at once; a larger object is sorted when it ends. Hashes are seeded per process: nobody can choose keys that collide.
/// </remarks>
internal ref struct KeyStack(Span<ulong> hashes, Span<KeyStack.Key> keys)
{
    /// <summary>How many keys to make room for on the stack.</summary>
    public const int Initial = 32;

    private const int ScanLimit = 64;

    private static readonly ulong SeedA = NewSeed();
    private static readonly ulong SeedB = NewSeed();

    private Span<ulong> _hashes = hashes;
    private Span<Key> _keys = keys;
    private ulong[]? _rentedHashes;
    private Key[]? _rentedKeys;

    /// <summary>Where a key lies in the text that holds all of them.</summary>
    [StructLayout(LayoutKind.Auto)]
    internal readonly record struct Key(int Start, int Length)
    {
        public ReadOnlySpan<byte> In(ReadOnlySpan<byte> text) => text.Slice(Start, Length);
    }

    /// <summary>How many keys there are: the base of an object that starts now.</summary>
    public int Count { get; private set; }

    /// <summary>Adds a key of the innermost object.</summary>
    /// <returns>False when the object has it already, as far as a small object knows.</returns>
    public bool Add(int start, Key key, ReadOnlySpan<byte> text)
    {
        var hash = Hash(key.In(text));
        if (Count - start <= ScanLimit && Holds(_hashes[start..Count], _keys[start..Count], hash, key, text))
        {
            return false;
        }

        if (Count == _hashes.Length || Count == _keys.Length)
        {
            Grow();
        }

        _hashes[Count] = hash;
        _keys[Count++] = key;
        return true;
    }

    /// <summary>Forgets the keys of the innermost object, which ends.</summary>
    /// <returns>A key that it has twice, or null.</returns>
    public Key? Close(int start, ReadOnlySpan<byte> text)
    {
        var ownHashes = _hashes[start..Count];
        var ownKeys = _keys[start..Count];
        Count = start;
        if (ownHashes.Length <= ScanLimit)
        {
            return null;
        }

        ownHashes.Sort(ownKeys);
        for (var i = 1; i < ownHashes.Length; i++)
        {
            // Equal hashes of different keys are accidents: the run to compare is one or two long.
            for (var j = i - 1; j >= 0 && ownHashes[j] == ownHashes[i]; j--)
            {
                if (ownKeys[j].In(text).SequenceEqual(ownKeys[i].In(text)))
                {
                    return ownKeys[i];
                }
            }
        }

        return null;
    }

    /// <summary>Gives back what was rented.</summary>
    public void Dispose()
    {
        if (_rentedHashes is not null)
        {
            ArrayPool<ulong>.Shared.Return(_rentedHashes);
            ArrayPool<Key>.Shared.Return(_rentedKeys!);
            _rentedHashes = null;
        }
    }

    private static bool Holds(ReadOnlySpan<ulong> hashes, ReadOnlySpan<Key> keys, ulong hash, Key key, ReadOnlySpan<byte> text)
    {
        for (var from = 0; ;)
        {
            var found = hashes[from..].IndexOf(hash);
            if (found < 0)
            {
                return false;
            }

            from += found;
            if (keys[from].In(text).SequenceEqual(key.In(text)))
            {
                return true;
            }

            from++;
        }
    }

    private static ulong Hash(ReadOnlySpan<byte> key)
    {
        var hash = SeedA ^ (ulong)key.Length;
        for (; key.Length > 8; key = key[8..])
        {
            hash = Mix(hash ^ BinaryPrimitives.ReadUInt64LittleEndian(key), SeedB);
        }

        ulong tail = 0;
        if (key.Length == 8)
        {
            tail = BinaryPrimitives.ReadUInt64LittleEndian(key);
        }
        else if (key.Length >= 4)
        {
            tail = BinaryPrimitives.ReadUInt32LittleEndian(key)
                | ((ulong)BinaryPrimitives.ReadUInt32LittleEndian(key[^4..]) << 32);
        }
        else
        {
            foreach (var next in key)
            {
                tail = (tail << 8) | next;
            }
        }

        return Mix(hash ^ tail, SeedB);
    }

    private static ulong Mix(ulong a, ulong b)
    {
        var high = Math.BigMul(a, b, out var low);
        return high ^ low;
    }

    private static ulong NewSeed()
    {
        Span<byte> seed = stackalloc byte[8];
        RandomNumberGenerator.Fill(seed);
        return BinaryPrimitives.ReadUInt64LittleEndian(seed) | 1;
    }

    private void Grow()
    {
        var moreHashes = ArrayPool<ulong>.Shared.Rent(Count * 2);
        var moreKeys = ArrayPool<Key>.Shared.Rent(Count * 2);
        _hashes[..Count].CopyTo(moreHashes);
        _keys[..Count].CopyTo(moreKeys);
        Dispose();
        _hashes = _rentedHashes = moreHashes;
        _keys = _rentedKeys = moreKeys;
    }
}
