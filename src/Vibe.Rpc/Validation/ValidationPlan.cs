using System.Collections.Concurrent;
using Google.Protobuf;
using Google.Protobuf.Reflection;
using Google.Rpc;

namespace Vibe.Rpc.Validation;

/// <summary>
/// The <c>buf.validate</c> rules of a message type and of the messages in it, compiled once. Enforces the subset that
/// <c>buf/validate/validate.proto</c> of this library declares, with the semantics of the public contract: rules of a field with
/// presence apply only when it is set, those of a field without presence always. Immutable and thread-safe.
/// </summary>
public sealed class ValidationPlan
{
    private static readonly ConcurrentDictionary<MessageDescriptor, ValidationPlan> Plans = new();

    [ThreadStatic]
    private static ValidationRun? SpareRun;

    private readonly FieldCheck[] _checks;

    private ValidationPlan(MessageDescriptor descriptor) => _checks = PlanCompiler.Compile(descriptor);

    /// <summary>Whether there is no rule in the message or in anything it can contain: then validating costs nothing.</summary>
    public bool IsEmpty => _checks.Length == 0;

    /// <summary>The plan of a message type that has a generated class.</summary>
    /// <param name="descriptor">The generated descriptor.</param>
    /// <exception cref="InvalidOperationException">A rule cannot be enforced; <see cref="ValidationSubset"/> finds these in a test.</exception>
    public static ValidationPlan For(MessageDescriptor descriptor)
    {
        ArgumentNullException.ThrowIfNull(descriptor);
        return Plans.GetOrAdd(descriptor, static type => new ValidationPlan(type));
    }

    /// <summary>The broken rules of a message, at most 20, each with the path of its field in JSON names; empty when it is valid.</summary>
    /// <param name="message">A message of the plan's type.</param>
    public IReadOnlyList<BadRequest.Types.FieldViolation> Validate(IMessage message)
    {
        ArgumentNullException.ThrowIfNull(message);
        if (IsEmpty)
        {
            return [];
        }

        var run = SpareRun ?? new ValidationRun();
        SpareRun = null;
        Run(message, run);
        var violations = run.Violations;
        if (violations.Count == 0)
        {
            SpareRun = run;
        }

        return violations;
    }

    internal void Run(IMessage message, ValidationRun run)
    {
        foreach (var check in _checks)
        {
            if (run.IsFull)
            {
                return;
            }

            check(message, run);
        }
    }
}
