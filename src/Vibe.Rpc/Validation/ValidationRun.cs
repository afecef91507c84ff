using System.Globalization;
using System.Text;
using Google.Rpc;

namespace Vibe.Rpc.Validation;

/// <summary>One validation: where it is in the message, and what it found.</summary>
internal sealed class ValidationRun
{
    /// <summary>More violations than this help nobody, and an attacker would choose their number.</summary>
    public const int MaxViolations = 20;

    // A map key in a path is the client's text: enough of it to be recognized.
    private const int MaxKeyLength = 64;

    private readonly List<Step> _path = [];
    private List<BadRequest.Types.FieldViolation>? _violations;

    public bool IsFull => _violations?.Count >= MaxViolations;

    public IReadOnlyList<BadRequest.Types.FieldViolation> Violations => _violations ?? (IReadOnlyList<BadRequest.Types.FieldViolation>)[];

    public void Enter(string field, int index = -1, object? key = null) => _path.Add(new Step(field, index, key));

    public void Leave() => _path.RemoveAt(_path.Count - 1);

    public void Add(BrokenRule broken, string field, int index = -1)
    {
        if (IsFull)
        {
            return;
        }

        _violations ??= [];
        _violations.Add(new() { Field = PathOf(new Step(field, index, null)), Reason = broken.Reason, Description = broken.Description });
    }

    private string PathOf(Step last)
    {
        var path = new StringBuilder();
        foreach (var step in _path)
        {
            step.AppendTo(path);
            path.Append('.');
        }

        last.AppendTo(path);
        return path.ToString();
    }

    private readonly record struct Step(string Field, int Index, object? Key)
    {
        public void AppendTo(StringBuilder path)
        {
            path.Append(Field);
            if (Key is string text)
            {
                var shown = text.Length > MaxKeyLength ? string.Concat(text.AsSpan(0, MaxKeyLength), "…") : text;
                path.Append("[\"").Append(shown.Replace("\\", "\\\\", StringComparison.Ordinal).Replace("\"", "\\\"", StringComparison.Ordinal)).Append("\"]");
            }
            else if (Key is not null)
            {
                path.Append('[').Append(Convert.ToString(Key, CultureInfo.InvariantCulture)).Append(']');
            }
            else if (Index >= 0)
            {
                path.Append('[').Append(CultureInfo.InvariantCulture, $"{Index}").Append(']');
            }
        }
    }
}
