using System.Text.Json;
using Vibe.Documents.V1;
using Vibe.Server.Documents.Queries;
using Vibe.Server.Kernel;
using Vibe.Server.Realtime.Feed;
using Vibe.Server.Realtime.Subscriptions;

namespace Vibe.Server.Realtime.Hub;

/// <summary>
/// Finds the targets that a version of a document may concern, without looking at the others: by collection, by who may see
/// it, and by one equality of the filter. Not thread-safe.
/// </summary>
internal sealed class Routes
{
    private readonly Dictionary<string, CollectionRoutes> _collections = new(StringComparer.Ordinal);

    /// <summary>Adds a target.</summary>
    public void Add(LiveTarget target)
    {
        if (!_collections.TryGetValue(target.Plan.Query.Collection, out var routes))
        {
            _collections.Add(target.Plan.Query.Collection, routes = new CollectionRoutes());
        }

        routes.Add(target);
    }

    /// <summary>Removes a target.</summary>
    public void Remove(LiveTarget target)
    {
        if (_collections.TryGetValue(target.Plan.Query.Collection, out var routes) && routes.Remove(target))
        {
            _collections.Remove(target.Plan.Query.Collection);
        }
    }

    /// <summary>Adds the targets that a change may concern; some of them may come twice.</summary>
    public void Find(FeedChange change, List<LiveTarget> found)
    {
        if (change.Past is not null)
        {
            // Who held the document before is not known.
            if (_collections.TryGetValue(change.New.Row.Collection, out var routes))
            {
                routes.FindAll(found);
            }

            return;
        }

        Find(change.New, found);
        if (change.Old is not null)
        {
            Find(change.Old, found);
        }
    }

    private void Find(FeedDocument version, List<LiveTarget> found)
    {
        if (!version.IsDeleted && _collections.TryGetValue(version.Row.Collection, out var routes))
        {
            routes.Find(version, found);
        }
    }

    private sealed class CollectionRoutes
    {
        // Who follows what everyone, and what every signed-in user may read.
        private readonly Bucket _everyone = new();
        private readonly Bucket _users = new();

        // Apps with a privilege, who see nearly everything.
        private readonly Bucket _privileged = new();
        private readonly Dictionary<string, Bucket> _named = new(StringComparer.Ordinal);
        private readonly HashSet<LiveTarget> _all = [];

        public void Add(LiveTarget target)
        {
            _all.Add(target);
            foreach (var bucket in BucketsOf(target))
            {
                bucket.Add(target);
            }
        }

        /// <returns>Whether nothing is left.</returns>
        public bool Remove(LiveTarget target)
        {
            foreach (var bucket in BucketsOf(target))
            {
                bucket.Remove(target);
            }

            foreach (var principal in NamesOf(target))
            {
                if (_named.TryGetValue(principal, out var bucket) && bucket.IsEmpty)
                {
                    _named.Remove(principal);
                }
            }

            _all.Remove(target);
            return _all.Count == 0;
        }

        public void FindAll(List<LiveTarget> found) => found.AddRange(_all);

        public void Find(FeedDocument version, List<LiveTarget> found)
        {
            if (version.Rules.Audience == 2)
            {
                _everyone.Find(version, found);
            }
            else if (version.Rules.Audience == 1)
            {
                _users.Find(version, found);
            }

            _privileged.Find(version, found);
            FindNamed(version.Row.Owner, version, found);
            foreach (var reader in version.Rules.Readers)
            {
                FindNamed(reader, version, found);
            }
        }

        private void FindNamed(string principal, FeedDocument version, List<LiveTarget> found)
        {
            if (_named.TryGetValue(principal, out var bucket))
            {
                bucket.Find(version, found);
            }
        }

        private IEnumerable<Bucket> BucketsOf(LiveTarget target)
        {
            var scope = target.Plan.Scope;
            if (scope is DocumentScope.Public or DocumentScope.All)
            {
                yield return _everyone;
            }

            if (scope is DocumentScope.Shared or DocumentScope.All && target.Plan.Caller.Principals.Contains(PrincipalName.Users))
            {
                yield return _users;
            }

            if (scope is DocumentScope.Shared or DocumentScope.All && target.Plan.Caller.Privileges.MayRead(target.Plan.Query.Collection))
            {
                yield return _privileged;
            }

            foreach (var principal in NamesOf(target))
            {
                if (!_named.TryGetValue(principal, out var bucket))
                {
                    _named.Add(principal, bucket = new Bucket());
                }

                yield return bucket;
            }
        }

        private static IEnumerable<string> NamesOf(LiveTarget target)
        {
            var caller = target.Plan.Caller;
            return target.Plan.Scope switch
            {
                DocumentScope.Public => [],
                DocumentScope.Own => caller.Did is null ? [] : [caller.Did],
                _ => caller.Principals.Append(caller.Did).OfType<string>().Where(principal => principal != PrincipalName.Users).Distinct(StringComparer.Ordinal),
            };
        }
    }

    /// <summary>Targets, by the value their filter wants for a field.</summary>
    private sealed class Bucket
    {
        private readonly HashSet<LiveTarget> _any = [];
        private readonly Dictionary<FieldPath, Dictionary<FieldValue, HashSet<LiveTarget>>> _byValue = [];

        public bool IsEmpty => _any.Count == 0 && _byValue.Count == 0;

        public void Add(LiveTarget target)
        {
            if (target.Plan.Equality is not { } equality)
            {
                _any.Add(target);
                return;
            }

            if (!_byValue.TryGetValue(equality.Field, out var values))
            {
                _byValue.Add(equality.Field, values = []);
            }

            if (!values.TryGetValue(equality.Value, out var targets))
            {
                values.Add(equality.Value, targets = []);
            }

            targets.Add(target);
        }

        public void Remove(LiveTarget target)
        {
            if (target.Plan.Equality is not { } equality)
            {
                _any.Remove(target);
                return;
            }

            if (_byValue.TryGetValue(equality.Field, out var values) && values.TryGetValue(equality.Value, out var targets))
            {
                targets.Remove(target);
                if (targets.Count == 0 && values.Remove(equality.Value) && values.Count == 0)
                {
                    _byValue.Remove(equality.Field);
                }
            }
        }

        public void Find(FeedDocument version, List<LiveTarget> found)
        {
            found.AddRange(_any);
            if (_byValue.Count == 0)
            {
                return;
            }

            var view = version.View;
            foreach (var (field, values) in _byValue)
            {
                if (view.TryGet(field, out var value) && FieldValue.Of(value) is { } key && values.TryGetValue(key, out var targets))
                {
                    found.AddRange(targets);
                }
            }
        }
    }
}

/// <summary>A string, number or bool of a document's body, as a key.</summary>
/// <param name="Kind">What it is.</param>
/// <param name="Text">The string.</param>
/// <param name="Number">The number, or 1 for true.</param>
internal readonly record struct FieldValue(ScalarKind Kind, string Text, double Number)
{
    /// <summary>The value a filter compares with; null when it is no such value.</summary>
    public static FieldValue? Of(JsonScalar scalar) => scalar.Kind switch
    {
        ScalarKind.Text => new(ScalarKind.Text, scalar.Text, 0),
        ScalarKind.Number => new(ScalarKind.Number, "", scalar.Number),
        ScalarKind.Bool => new(ScalarKind.Bool, "", scalar.Bool ? 1 : 0),
        _ => null,
    };

    /// <summary>The value in a body; null when it is no such value.</summary>
    public static FieldValue? Of(JsonElement value) => value.ValueKind switch
    {
        JsonValueKind.String => new(ScalarKind.Text, value.GetString()!, 0),
        // Adding zero makes the negative zero positive: the two are equal.
        JsonValueKind.Number => new(ScalarKind.Number, "", value.GetDouble() + 0.0),
        JsonValueKind.True => new(ScalarKind.Bool, "", 1),
        JsonValueKind.False => new(ScalarKind.Bool, "", 0),
        _ => null,
    };

    /// <summary>The first equality that a filter requires of a field of the body.</summary>
    public static (FieldPath Field, FieldValue Value)? RequiredBy(FilterNode filter)
    {
        foreach (var compare in FieldDriver.Conjuncts(filter).OfType<CompareNode>())
        {
            if (compare is { Op: Operator.Eq, Field.CoreField: CoreField.None } && Of(compare.Value) is { } value)
            {
                return (compare.Field, value);
            }
        }

        return null;
    }
}
