namespace Vibe.Client.Filters;

/// <summary>A condition; its text is the canonical text form of the contract's Filter.</summary>
internal abstract record FilterNode
{
    /// <summary>Holds for every document.</summary>
    public static readonly FilterNode True = new ListNode(IsAnd: true, []);

    /// <summary>Holds for none.</summary>
    public static readonly FilterNode False = new ListNode(IsAnd: false, []);

    /// <summary>A condition of the caller's, as it is.</summary>
    public static FilterNode Text(string text) => new TextNode(text);

    /// <summary>One comparison; without an operand only the field, as of <c>exists</c>.</summary>
    public static FilterNode Compare(string field, string op, string operand) => new CompareNode(field, op, operand);

    /// <summary>All of these.</summary>
    public static FilterNode All(IEnumerable<FilterNode> parts) => List(isAnd: true, parts);

    /// <summary>At least one of these.</summary>
    public static FilterNode Any(IEnumerable<FilterNode> parts) => List(isAnd: false, parts);

    /// <summary>Not this.</summary>
    public static FilterNode Not(FilterNode part) => part switch
    {
        NotNode { Part: var inner } => inner,
        ListNode { Parts.Count: 0, IsAnd: var isAnd } => isAnd ? False : True,
        _ => new NotNode(part),
    };

    /// <inheritdoc/>
    public sealed override string ToString() => Print(0);

    /// <summary>The text; in parentheses where what stands around binds at least as tightly: 1 or, 2 and, 3 not.</summary>
    protected abstract string Print(int around);

    // Nested lists of one kind are one list, and what holds always or never decides.
    private static FilterNode List(bool isAnd, IEnumerable<FilterNode> parts)
    {
        var flat = new List<FilterNode>();
        foreach (var part in parts)
        {
            if (part is ListNode list && list.IsAnd != isAnd && list.Parts.Count == 0)
            {
                return part;
            }

            if (part is ListNode same && same.IsAnd == isAnd)
            {
                flat.AddRange(same.Parts);
            }
            else
            {
                flat.Add(part);
            }
        }

        return flat switch
        {
            [var only] => only,
            [] => isAnd ? True : False,
            _ => new ListNode(isAnd, flat),
        };
    }

    private sealed record ListNode(bool IsAnd, IReadOnlyList<FilterNode> Parts) : FilterNode
    {
        protected override string Print(int around)
        {
            if (Parts.Count == 0)
            {
                return IsAnd ? "true" : "false";
            }

            var binding = IsAnd ? 2 : 1;
            var text = string.Join(IsAnd ? " and " : " or ", Parts.Select(part => part.Print(binding)));
            return around >= binding ? $"({text})" : text;
        }
    }

    private sealed record NotNode(FilterNode Part) : FilterNode
    {
        protected override string Print(int around) =>
            Part is CompareNode { Op: "=" } equal ? (equal with { Op = "!=" }).Print(around) : $"not {Part.Print(3)}";
    }

    private sealed record CompareNode(string Field, string Op, string Operand) : FilterNode
    {
        protected override string Print(int around) => Op == "exists" ? $"exists {Field}" : $"{Field} {Op} {Operand}";
    }

    private sealed record TextNode(string Condition) : FilterNode
    {
        protected override string Print(int around) => around > 0 ? $"({Condition})" : Condition;
    }
}
