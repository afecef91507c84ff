using Google.Protobuf;
using Vibe.Rpc.Validation;
using Vibe.RpcTest.V1;
using Vibe.RpcTest.Validation.V1;

namespace Vibe.Rpc.Tests.Validation;

public sealed class ValidationPlanTests
{
    [Fact]
    public void A_message_that_keeps_every_rule_has_no_violations() => AssertBroken(Valid());

    [Theory]
    [InlineData("a", "STRING_MIN_LEN")]
    [InlineData("ab", null)]
    [InlineData("abcde", "STRING_MAX_LEN")]
    [InlineData("😀", "STRING_MIN_LEN")]
    [InlineData("😀😀😀😀", null)]
    [InlineData("😀😀😀😀x", "STRING_MAX_LEN")]
    [InlineData("", "STRING_MIN_LEN")]
    public void Lengths_count_code_points_and_hold_for_an_empty_field_without_presence(string text, string? reason) =>
        AssertBroken(Valid(message => message.ShortText = text), reason is null ? [] : [("shortText", reason)]);

    [Theory]
    [InlineData("aaaa", null)]
    [InlineData("aaaaa", "STRING_MAX_BYTES")]
    [InlineData("éé", null)]
    [InlineData("ééé", "STRING_MAX_BYTES")]
    [InlineData("", null)]
    public void Bytes_of_a_string_are_counted_in_utf8(string text, string? reason) =>
        AssertBroken(Valid(message => message.FewBytes = text), reason is null ? [] : [("fewBytes", reason)]);

    [Theory]
    [InlineData("a_1", null)]
    [InlineData("", "STRING_PATTERN")]
    [InlineData("A", "STRING_PATTERN")]
    [InlineData("a\n", "STRING_PATTERN")]
    [InlineData("aé", "STRING_PATTERN")]
    public void A_pattern_means_what_RE2_means(string text, string? reason) =>
        AssertBroken(Valid(message => message.Name = text), reason is null ? [] : [("name", reason)]);

    [Theory]
    [InlineData("0189abcd-ef01-7234-89ab-cdef01234567", null)]
    [InlineData("0189ABCD-EF01-7234-89AB-CDEF01234567", null)]
    [InlineData("0189abcd-ef01-7234-89ab-cdef0123456", "STRING_UUID")]
    [InlineData("0189abcdef01-7234-89ab-cdef-01234567", "STRING_UUID")]
    [InlineData(" 189abcd-ef01-7234-89ab-cdef01234567", "STRING_UUID")]
    [InlineData("{189abcd-ef01-7234-89ab-cdef01234567", "STRING_UUID")]
    [InlineData("", "STRING_UUID")]
    public void A_uuid_has_one_form(string text, string? reason) =>
        AssertBroken(Valid(message => message.Id = text), reason is null ? [] : [("id", reason)]);

    [Theory]
    [InlineData(-1, null)]
    [InlineData(10, null)]
    [InlineData(-2, "INT32_GTE")]
    [InlineData(11, "INT32_LTE")]
    public void Limits_of_int32_are_inclusive(int value, string? reason) =>
        AssertBroken(Valid(message => message.Small = value), reason is null ? [] : [("small", reason)]);

    [Theory]
    [InlineData(5_000_000_000, null)]
    [InlineData(6_000_000_000, null)]
    [InlineData(4_999_999_999, "INT64_GTE")]
    [InlineData(6_000_000_001, "INT64_LTE")]
    [InlineData(0, "INT64_GTE")]
    public void Limits_of_int64_hold_when_the_field_is_set(long value, string? reason) =>
        AssertBroken(Valid(message => message.Big = value), reason is null ? [] : [("big", reason)]);

    [Fact]
    public void Bytes_and_enums_have_limits()
    {
        AssertBroken(Valid(message => message.Blob = ByteString.CopyFrom(1, 2, 3, 4)), ("blob", "BYTES_MAX_LEN"));
        AssertBroken(Valid(message => message.Level = (Ruled.Types.Level)7), ("level", "ENUM_DEFINED_ONLY"));
        AssertBroken(Valid(message => message.Level = Ruled.Types.Level.High));
    }

    [Fact]
    public void Lists_have_rules_as_a_whole_and_for_each_item()
    {
        AssertBroken(Valid(message => message.Tags.Clear()), ("tags", "REPEATED_MIN_ITEMS"));
        AssertBroken(Valid(message => message.Tags.Add(["b", "c", "d"])), ("tags", "REPEATED_MAX_ITEMS"));
        AssertBroken(Valid(message => message.Tags.Add("a")), ("tags", "REPEATED_UNIQUE"));
        AssertBroken(Valid(message => message.Tags.Add(["toolong", "😀😀😀😀😀"])), ("tags[1]", "STRING_MAX_LEN"));
        AssertBroken(Valid(message => message.Numbers.Add([1, 10, 9, 11])), ("numbers[1]", "INT32_LTE"), ("numbers[3]", "INT32_LTE"));
        AssertBroken(Valid(message => message.Longs.Add([9, 10])), ("longs[1]", "INT64_LTE"));
        AssertBroken(Valid(message => message.Blobs.Add([ByteString.Empty, ByteString.CopyFrom(1, 2)])), ("blobs[1]", "BYTES_MAX_LEN"));
        AssertBroken(
            Valid(message => message.Levels.Add([Ruled.Types.Level.Low, (Ruled.Types.Level)9, Ruled.Types.Level.Low])),
            ("levels", "REPEATED_UNIQUE"),
            ("levels[1]", "ENUM_DEFINED_ONLY"));
    }

    [Fact]
    public void Maps_and_choices_have_rules()
    {
        AssertBroken(
            Valid(message =>
            {
                foreach (var key in "abc")
                {
                    message.Labels.Add($"{key}", "");
                }
            }),
            ("labels", "MAP_MAX_PAIRS"));
        AssertBroken(Valid(message => message.ChoiceText = "ab"), ("choiceText", "STRING_MIN_LEN"));
        AssertBroken(Valid(message => message.ChoiceText = "abc"));
    }

    [Fact]
    public void Paths_lead_through_messages_lists_and_maps()
    {
        var bad = Valid(message => message.Small = 11);
        AssertBroken(Valid(message => message.Child = bad), ("child.small", "INT32_LTE"));
        AssertBroken(Valid(message => message.Child = Valid(child => child.Child = bad)), ("child.child.small", "INT32_LTE"));
        AssertBroken(Valid(message => message.ChoiceChild = bad), ("choiceChild.small", "INT32_LTE"));
        AssertBroken(Valid(message => message.Children.Add([Valid(), bad])), ("children[1].small", "INT32_LTE"));
        AssertBroken(Valid(message => message.ByName.Add("a \"quoted\" name", bad)), ("byName[\"a \\\"quoted\\\" name\"].small", "INT32_LTE"));
        AssertBroken(Valid(message => message.ByName.Add(new string('k', 100), bad)), ($"byName[\"{new string('k', 64)}…\"].small", "INT32_LTE"));
        AssertBroken(Valid(message => message.ByNumber.Add(-3, bad)), ("byNumber[-3].small", "INT32_LTE"));
        Assert.Equal("next.ruled.small", Assert.Single(Violations(new Holder { Next = new() { Ruled = bad } })).Field);
    }

    [Fact]
    public void Every_kind_of_field_can_be_required()
    {
        Assert.Equal(
            ["text", "number", "agreed", "maybe", "blob", "level", "body", "child", "tags", "labels", "code"],
            Violations(new Demanding()).Select(violation => violation.Field));
        Assert.All(Violations(new Demanding()), violation => Assert.Equal("REQUIRED", violation.Reason));

        var given = new Demanding
        {
            Text = "a",
            Number = 1,
            Agreed = true,
            Maybe = 0,
            Blob = ByteString.CopyFrom(0),
            Level = Ruled.Types.Level.Low,
            Body = ByteString.Empty, // an empty Struct is a body
            Child = new(),
            Tags = { "" },
            Labels = { [""] = "" },
            Code = "abc",
        };
        Assert.Empty(Violations(given));
    }

    [Fact]
    public void At_most_twenty_violations_are_reported()
    {
        var many = Valid(message => message.Children.Add(Enumerable.Repeat(Valid(child => child.Numbers.Add(Enumerable.Repeat(99, 15))), 3)));
        Assert.Equal(20, Violations(many).Count);
        Assert.Equal("children[1].numbers[4]", Violations(many)[^1].Field);
    }

    [Fact]
    public void Descriptions_are_sentences_without_the_value()
    {
        var violation = Assert.Single(Violations(Valid(message => message.Name = "Secret!")));
        Assert.Equal("Must match the pattern ^[a-z]\\w*$", violation.Description);
        Assert.Equal("Must have at most 4 characters.", Assert.Single(Violations(Valid(message => message.ShortText = "abcdef"))).Description);
    }

    [Fact]
    public void A_message_without_rules_has_an_empty_plan_and_plans_are_kept()
    {
        Assert.True(ValidationPlan.For(Unruled.Descriptor).IsEmpty);
        Assert.True(ValidationPlan.For(AllTypes.Descriptor).IsEmpty);
        Assert.False(ValidationPlan.For(Holder.Descriptor).IsEmpty);
        Assert.Same(ValidationPlan.For(Ruled.Descriptor), ValidationPlan.For(Ruled.Descriptor));
    }

    [Fact]
    public void A_valid_message_is_validated_without_allocating()
    {
        var plan = ValidationPlan.For(Ruled.Descriptor);
        var message = Valid(outer =>
        {
            outer.Name = "a";
            outer.FewBytes = "ééx"[..2];
            outer.Big = 5_000_000_000;
            outer.Child = Valid();
            outer.Children.Add(Valid());
        });
        plan.Validate(message);

        var before = GC.GetAllocatedBytesForCurrentThread();
        for (var i = 0; i < 100; i++)
        {
            plan.Validate(message);
        }

        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);
    }

    private static Ruled Valid(Action<Ruled>? change = null)
    {
        var message = new Ruled { ShortText = "abc", Tags = { "a" } };
        change?.Invoke(message);
        return message;
    }

    private static IReadOnlyList<Google.Rpc.BadRequest.Types.FieldViolation> Violations(IMessage message) =>
        ValidationPlan.For(message.Descriptor).Validate(message);

    private static void AssertBroken(Ruled message, params (string Field, string Reason)[] expected) =>
        Assert.Equal(expected, Violations(message).Select(violation => (violation.Field, violation.Reason)));
}
