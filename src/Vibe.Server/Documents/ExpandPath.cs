using Vibe.Server.Kernel;

namespace Vibe.Server.Documents;

/// <summary>One hop of <c>expand</c>, and the hops after it.</summary>
internal sealed class ExpandHop(string via)
{
    private const int MaxHops = 3;
    private const int MaxPaths = 10;

    /// <summary>As it was asked for: a label, or <c>~label</c> against the arrow.</summary>
    public string Via { get; } = via;

    /// <summary>Whether the hop goes against the arrow.</summary>
    public bool IsReverse { get; } = via[0] == '~';

    /// <summary>The label.</summary>
    public string Label { get; } = via.TrimStart('~');

    /// <summary>What to follow from the documents reached; paths that begin alike share their hops.</summary>
    public List<ExpandHop> Next { get; } = [];

    /// <summary>Reads the paths of a request.</summary>
    /// <exception cref="Grpc.Core.RpcException">INVALID_ARGUMENT.</exception>
    public static List<ExpandHop> Read(IList<string> paths, string field)
    {
        if (paths.Count > MaxPaths)
        {
            throw VibeError.InvalidField(field, $"has at most {MaxPaths} paths", "expand.size");
        }

        List<ExpandHop> first = [];
        for (var i = 0; i < paths.Count; i++)
        {
            var hops = paths[i].Split('.');
            if (hops.Length > MaxHops)
            {
                throw VibeError.InvalidField(FieldNames.Item(field, i), $"has at most {MaxHops} hops", "expand.hops");
            }

            var level = first;
            foreach (var hop in hops)
            {
                if (!DocumentEdges.IsLabel(hop.AsSpan(hop.StartsWith('~') ? 1 : 0)))
                {
                    throw VibeError.InvalidField(FieldNames.Item(field, i), "is not a path of labels: `author`, `~comment_on.author`", "expand.label");
                }

                var known = level.Find(other => other.Via == hop);
                if (known is null)
                {
                    level.Add(known = new ExpandHop(hop));
                }

                level = known.Next;
            }
        }

        return first;
    }
}
