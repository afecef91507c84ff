using System.Globalization;

namespace Vibe.Postgres.Replication;

/// <summary>
/// A <c>pg_snapshot</c>: which transactions are visible. Those below <see cref="Min"/> are, those from <see cref="Max"/> on
/// are not, and between them all but the ones in progress. Immutable.
/// </summary>
public sealed class Snapshot
{
    private readonly ulong[] _inProgress;

    private Snapshot(ulong min, ulong max, ulong[] inProgress, string text)
    {
        Min = min;
        Max = max;
        _inProgress = inProgress;
        Text = text;
    }

    /// <summary>All transactions below are finished.</summary>
    public ulong Min { get; }

    /// <summary>One above the last transaction that had finished.</summary>
    public ulong Max { get; }

    /// <summary>PostgreSQL's text form, <c>xmin:xmax:xip,…</c>.</summary>
    public string Text { get; }

    /// <summary>Reads PostgreSQL's text form.</summary>
    /// <exception cref="FormatException">It is none.</exception>
    public static Snapshot Parse(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        var parts = text.Split(':');
        if (parts.Length != 3)
        {
            throw new FormatException("A snapshot has three parts.");
        }

        var inProgress = parts[2].Length == 0 ? [] : Array.ConvertAll(parts[2].Split(','), Number);
        var (min, max) = (Number(parts[0]), Number(parts[1]));
        var isOrdered = min <= max && inProgress.Zip(inProgress.Skip(1)).All(static pair => pair.First < pair.Second)
            && inProgress.All(xid => xid >= min && xid < max);
        return isOrdered ? new(min, max, inProgress, text) : throw new FormatException("The parts of a snapshot are not in order.");
    }

    /// <summary>Sees every transaction below one, and none from it on.</summary>
    public static Snapshot Before(ulong transaction) =>
        new(transaction, transaction, [], string.Create(CultureInfo.InvariantCulture, $"{transaction}:{transaction}:"));

    /// <summary>Whether what the transaction wrote is visible, if it committed.</summary>
    public bool Sees(ulong transaction) =>
        transaction < Min || (transaction < Max && Array.BinarySearch(_inProgress, transaction) < 0);

    /// <summary>Whether everything that <paramref name="other"/> sees is visible here too.</summary>
    public bool Includes(Snapshot other)
    {
        ArgumentNullException.ThrowIfNull(other);
        if (Min >= other.Max)
        {
            return true;
        }

        // What this one does not see below the other's end, the other must not see either.
        return Max >= other.Max && Array.TrueForAll(_inProgress, xid => !other.Sees(xid));
    }

    /// <inheritdoc/>
    public override string ToString() => Text;

    private static ulong Number(string text) => ulong.Parse(text, NumberStyles.None, CultureInfo.InvariantCulture);
}
