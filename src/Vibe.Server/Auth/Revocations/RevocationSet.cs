using System.Collections.Concurrent;
using System.Runtime.InteropServices;
using Vibe.Errors.V1;
using Vibe.Server.Kernel;

namespace Vibe.Server.Auth.Revocations;

/// <summary>
/// The revocations of this node that still matter, and the streams they may end. A call asks it without waiting and without the
/// database. Thread-safe.
/// </summary>
internal sealed class RevocationSet(TimeProvider time) : ICallerAccess
{
    private readonly Lock _gate = new();
    private readonly ConcurrentDictionary<Key, Entry> _entries = new();
    private readonly ConcurrentDictionary<AccessWatch, bool> _watches = new();
    private readonly Dictionary<Guid, DateTimeOffset> _applied = [];
    private long _version;

    /// <summary>Grows with every revocation: who was checked at this version need not be checked again.</summary>
    public long Version => Volatile.Read(ref _version);

    /// <summary>How many revocations are kept.</summary>
    public int Count
    {
        get
        {
            lock (_gate)
            {
                return _applied.Count;
            }
        }
    }

    /// <summary>Takes revocations; those it has already change nothing.</summary>
    /// <returns>Those that are new here.</returns>
    public IReadOnlyList<Revocation> Apply(params IReadOnlyList<Revocation> revocations)
    {
        List<Revocation> added;
        lock (_gate)
        {
            var now = time.GetUtcNow();
            added = [.. revocations.Where(revocation => revocation.ExpireTime > now && _applied.TryAdd(revocation.Id, revocation.ExpireTime))];
            if (added.Count == 0)
            {
                return added;
            }

            var version = _version + 1;
            foreach (var revocation in added)
            {
                var entry = new Entry(revocation.RevokeTime, revocation.ExpireTime, version);
                _entries.AddOrUpdate(
                    new Key(revocation.Kind, revocation.Subject, revocation.App),
                    static (_, entry) => entry, static (_, old, entry) => old.With(entry), entry);
            }

            // Last: who reads the new version finds the entries.
            Volatile.Write(ref _version, version);
        }

        foreach (var (watch, _) in _watches)
        {
            Tell(watch);
        }

        return added;
    }

    /// <summary>What has become of a caller's access: null while it stands.</summary>
    /// <returns>TOKEN_REVOKED; or ACCESS_CHANGED when the caller's principals have to be found out anew.</returns>
    public ErrorReason? LossOf(Caller caller)
    {
        if (caller.Did is null && caller.App is null)
        {
            return null;
        }

        if (_entries.IsEmpty)
        {
            return HasLapsed(caller);
        }

        var issued = caller.IssueTime ?? DateTimeOffset.MinValue;
        if ((caller.Grant is { } grant && _entries.ContainsKey(new(RevocationKind.Grant, grant, null)))
            || (caller.App is { } app && IsRevoked(new(RevocationKind.App, app, null), issued))
            || (caller.Did is { } did
                && (IsRevoked(new(RevocationKind.Account, did, null), issued) || IsRevoked(new(RevocationKind.Consent, did, caller.App), issued))))
        {
            return ErrorReason.TokenRevoked;
        }

        return caller.Did is { } account && _entries.TryGetValue(new(RevocationKind.Principals, account, null), out var changed) && changed.Version > caller.AccessVersion
            ? ErrorReason.AccessChanged
            : HasLapsed(caller);
    }

    /// <inheritdoc/>
    public AccessWatch Watch(Caller caller, CancellationToken cancellationToken)
    {
        var watch = new AccessWatch(caller, gone => _watches.TryRemove(gone, out _), cancellationToken);
        _watches.TryAdd(watch, true);
        // Streams end with the access token by themselves.
        if (caller.PrincipalsEndTime is { } end && !(caller.ExpireTime <= end))
        {
            var wait = end - time.GetUtcNow();
            watch.KeepUntilDisposed(time.CreateTimer(
                _ => watch.Lose(ErrorReason.AccessChanged), state: null, wait > TimeSpan.Zero ? wait : TimeSpan.Zero, Timeout.InfiniteTimeSpan));
        }

        // After it was added: a revocation is seen here, or by who applies it.
        Tell(watch);
        return watch;
    }

    /// <summary>Forgets what has had its time: its tokens have expired by themselves.</summary>
    public void RemoveExpired()
    {
        lock (_gate)
        {
            var now = time.GetUtcNow();
            foreach (var (id, _) in _applied.Where(applied => applied.Value <= now).ToList())
            {
                _applied.Remove(id);
            }

            foreach (var entry in _entries.Where(entry => entry.Value.ExpireTime <= now))
            {
                _entries.TryRemove(entry);
            }
        }
    }

    private ErrorReason? HasLapsed(Caller caller) => caller.PrincipalsEndTime <= time.GetUtcNow() ? ErrorReason.AccessChanged : null;

    private bool IsRevoked(Key key, DateTimeOffset issued) => _entries.TryGetValue(key, out var entry) && issued <= entry.RevokeTime;

    private void Tell(AccessWatch watch)
    {
        if (LossOf(watch.Caller) is { } reason)
        {
            watch.Lose(reason);
        }
    }

    [StructLayout(LayoutKind.Auto)]
    private readonly record struct Key(RevocationKind Kind, string Subject, string? App);

    [StructLayout(LayoutKind.Auto)]
    private readonly record struct Entry(DateTimeOffset RevokeTime, DateTimeOffset ExpireTime, long Version)
    {
        public Entry With(Entry other) => new(
            RevokeTime > other.RevokeTime ? RevokeTime : other.RevokeTime,
            ExpireTime > other.ExpireTime ? ExpireTime : other.ExpireTime,
            Math.Max(Version, other.Version));
    }
}
