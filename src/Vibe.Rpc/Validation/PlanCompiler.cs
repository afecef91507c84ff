using System.Collections;
using Buf.Validate;
using Google.Protobuf;
using Google.Protobuf.Reflection;

namespace Vibe.Rpc.Validation;

/// <summary>Checks one field of a message.</summary>
internal delegate void FieldCheck(IMessage message, ValidationRun run);

/// <summary>Turns the rules of a message type into closures.</summary>
internal static class PlanCompiler
{
    public static FieldCheck[] Compile(MessageDescriptor descriptor) =>
        [.. descriptor.Fields.InDeclarationOrder().SelectMany(field => Compile(field, RuleSource.Of(field)))];

    private static IEnumerable<FieldCheck> Compile(FieldDescriptor field, FieldRules? rules)
    {
        if (rules is not null)
        {
            foreach (var problem in FieldRulesCheck.Problems(field, rules))
            {
                throw new InvalidOperationException($"{field.FullName} {problem}.");
            }

            if (rules.Required)
            {
                yield return Required(field);
            }

            foreach (var check in field.IsMap ? Map(field, rules.Map) : field.IsRepeated ? Repeated(field, rules.Repeated) : Singular(field, rules))
            {
                yield return check;
            }
        }

        if (RuleSource.ContainedMessage(field) is { } contained && RuleSource.HasRules(contained))
        {
            yield return Nested(field, contained);
        }
    }

    private static FieldCheck Required(FieldDescriptor field)
    {
        var (isSet, name) = (FieldReading.IsSet(field), field.JsonName);
        return (message, run) =>
        {
            if (!isSet(message))
            {
                run.Add(BrokenRule.Required, name);
            }
        };
    }

    private static IEnumerable<FieldCheck> Singular(FieldDescriptor field, FieldRules rules)
    {
        // An unset required field has one violation, not one for each rule its default value breaks.
        var skipUnset = field.HasPresence || rules.Required ? FieldReading.IsSet(field) : null;
        return rules.TypeCase switch
        {
            FieldRules.TypeOneofCase.String => Each(ValueRules.Of(rules.String)),
            FieldRules.TypeOneofCase.Bytes => Each(ValueRules.Of(rules.Bytes)),
            FieldRules.TypeOneofCase.Int32 => Each(ValueRules.Of(rules.Int32)),
            FieldRules.TypeOneofCase.Int64 => Each(ValueRules.Of(rules.Int64)),
            FieldRules.TypeOneofCase.Enum => Each(ValueRules.Of(rules.Enum, field.EnumType)),
            _ => [],
        };

        IEnumerable<FieldCheck> Each<T>(Rule<T>[] compiled)
        {
            if (compiled.Length == 0)
            {
                return [];
            }

            var (get, name) = (FieldReading.Getter<T>(field), field.JsonName);
            return [(message, run) =>
            {
                if (skipUnset is not null && !skipUnset(message))
                {
                    return;
                }

                var value = get(message);
                foreach (var rule in compiled)
                {
                    if (rule(value) is { } broken)
                    {
                        run.Add(broken, name);
                    }
                }
            }];
        }
    }

    private static List<FieldCheck> Repeated(FieldDescriptor field, RepeatedRules? rules)
    {
        if (rules is null)
        {
            return [];
        }

        var (get, name) = (FieldReading.Getter<IList>(field), field.JsonName);
        var whole = ListRules.Of(rules);
        List<FieldCheck> checks = [];
        if (whole.Length > 0)
        {
            checks.Add((message, run) =>
            {
                var list = get(message);
                foreach (var rule in whole)
                {
                    if (rule(list) is { } broken)
                    {
                        run.Add(broken, name);
                    }
                }
            });
        }

        switch (rules.Items?.TypeCase)
        {
            case FieldRules.TypeOneofCase.String: AddItems(ValueRules.Of(rules.Items.String)); break;
            case FieldRules.TypeOneofCase.Bytes: AddItems(ValueRules.Of(rules.Items.Bytes)); break;
            case FieldRules.TypeOneofCase.Int32: AddItems(ValueRules.Of(rules.Items.Int32)); break;
            case FieldRules.TypeOneofCase.Int64: AddItems(ValueRules.Of(rules.Items.Int64)); break;
            case FieldRules.TypeOneofCase.Enum: AddItems(ValueRules.Of(rules.Items.Enum, field.EnumType)); break;
        }

        return checks;

        void AddItems<T>(Rule<T>[] compiled)
        {
            if (compiled.Length == 0)
            {
                return;
            }

            checks.Add((message, run) =>
            {
                var list = get(message);
                for (var i = 0; i < list.Count && !run.IsFull; i++)
                {
                    // A boxed enum unboxes as its number.
                    var item = (T)list[i]!;
                    foreach (var rule in compiled)
                    {
                        if (rule(item) is { } broken)
                        {
                            run.Add(broken, name, i);
                        }
                    }
                }
            });
        }
    }

    private static IEnumerable<FieldCheck> Map(FieldDescriptor field, MapRules? rules)
    {
        if (rules is null || !rules.HasMaxPairs)
        {
            return [];
        }

        var (get, name, rule) = (FieldReading.Getter<IDictionary>(field), field.JsonName, ListRules.MaxPairs(rules.MaxPairs));
        return [(message, run) =>
        {
            if (rule(get(message)) is { } broken)
            {
                run.Add(broken, name);
            }
        }];
    }

    private static FieldCheck Nested(FieldDescriptor field, MessageDescriptor contained)
    {
        // Looked up at first use: a message may contain itself.
        ValidationPlan? plan = null;
        var name = field.JsonName;
        if (field.IsMap)
        {
            var get = FieldReading.Getter<IDictionary>(field);
            return (message, run) =>
            {
                // An empty map is the usual case, and enumerating it would allocate.
                if (get(message) is { Count: > 0 } map)
                {
                    foreach (DictionaryEntry pair in map)
                    {
                        Into((IMessage)pair.Value!, run, key: pair.Key);
                    }
                }
            };
        }

        if (field.IsRepeated)
        {
            var get = FieldReading.Getter<IReadOnlyList<IMessage>>(field);
            return (message, run) =>
            {
                var list = get(message);
                for (var i = 0; i < list.Count && !run.IsFull; i++)
                {
                    Into(list[i], run, i);
                }
            };
        }

        var getOne = FieldReading.Getter<IMessage?>(field);
        return (message, run) =>
        {
            if (getOne(message) is { } child)
            {
                Into(child, run);
            }
        };

        void Into(IMessage child, ValidationRun run, int index = -1, object? key = null)
        {
            if (run.IsFull)
            {
                return;
            }

            run.Enter(name, index, key);
            (plan ??= ValidationPlan.For(contained)).Run(child, run);
            run.Leave();
        }
    }
}
