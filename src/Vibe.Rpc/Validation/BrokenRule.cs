namespace Vibe.Rpc.Validation;

/// <summary>A rule as a client is told of it: never with the value, which may be secret or huge.</summary>
/// <param name="Reason">The rule's name in <c>buf.validate</c> in UPPER_SNAKE_CASE, for example <c>STRING_MAX_LEN</c>.</param>
/// <param name="Description">A sentence saying what is expected.</param>
internal sealed record BrokenRule(string Reason, string Description)
{
    public static readonly BrokenRule Required = new("REQUIRED", "Must be set.");
}

/// <summary>Null when the value keeps the rule. The answer is built once, so keeping and breaking a rule cost no allocation.</summary>
internal delegate BrokenRule? Rule<in T>(T value);
