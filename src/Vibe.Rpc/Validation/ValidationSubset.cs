using Google.Protobuf;
using Google.Protobuf.Reflection;

namespace Vibe.Rpc.Validation;

/// <summary>
/// Finds rules in a contract that this library would not enforce. A rule that is written but not enforced is worse than none:
/// let a test assert that <see cref="Check"/> finds nothing.
/// </summary>
public static class ValidationSubset
{
    // The extension number that buf.validate uses in message and oneof options, too; the subset has rules for fields only.
    private const int ValidateExtensionNumber = 1159;

    /// <summary>Everything in the files that cannot be enforced, one sentence each; empty when all can.</summary>
    /// <param name="files">The files to look at; their imports are looked at only if given, too.</param>
    public static IReadOnlyList<string> Check(params IEnumerable<FileDescriptor> files)
    {
        ArgumentNullException.ThrowIfNull(files);
        return [.. files.SelectMany(file => file.MessageTypes).SelectMany(Problems)];
    }

    private static IEnumerable<string> Problems(MessageDescriptor message)
    {
        if (HasValidateOption(message.GetOptions()))
        {
            yield return $"{message.FullName} has rules for the whole message, which are outside the subset.";
        }

        foreach (var oneof in message.Oneofs.Where(oneof => HasValidateOption(oneof.GetOptions())))
        {
            yield return $"{oneof.FullName} has rules for a oneof, which are outside the subset.";
        }

        foreach (var field in message.Fields.InDeclarationOrder())
        {
            foreach (var problem in RuleSource.Of(field) is { } rules ? FieldRulesCheck.Problems(field, rules) : [])
            {
                yield return $"{field.FullName} {problem}.";
            }
        }

        foreach (var problem in message.NestedTypes.SelectMany(Problems))
        {
            yield return problem;
        }
    }

    private static bool HasValidateOption(IMessage? options)
    {
        if (options is null)
        {
            return false;
        }

        var input = options.ToByteString().CreateCodedInput();
        while (input.ReadTag() is var tag and not 0)
        {
            if (WireFormat.GetTagFieldNumber(tag) == ValidateExtensionNumber)
            {
                return true;
            }

            input.SkipLastField();
        }

        return false;
    }
}
