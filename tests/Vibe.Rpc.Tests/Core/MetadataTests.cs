using Grpc.Core;

namespace Vibe.Rpc.Tests.Core;

public sealed class MetadataTests
{
    [Fact]
    public void Names_are_found_in_any_case_and_the_last_value_counts()
    {
        var metadata = new Metadata { { "X-Name", "first" }, { "x-name", "last" }, { "data-bin", [1, 2] } };
        Assert.Equal("x-name", metadata[0].Key);
        Assert.Equal("last", metadata.GetValue("X-NAME"));
        Assert.Equal(["first", "last"], metadata.GetAll("x-Name").Select(e => e.Value));
        Assert.Equal([1, 2], metadata.GetValueBytes("Data-Bin"));
        Assert.Null(metadata.GetValue("other"));
    }

    [Theory]
    [InlineData("", "value")]
    [InlineData("with space", "value")]
    [InlineData("ünicode", "value")]
    [InlineData(":path", "value")]
    [InlineData("x-bin", "value")]
    [InlineData("x", "line\nbreak")]
    [InlineData("x", "grüße")]
    public void What_a_header_cannot_hold_is_refused(string key, string value) =>
        Assert.Throws<ArgumentException>(() => new Metadata.Entry(key, value));

    [Fact]
    public void Bytes_need_a_binary_name_and_are_copied()
    {
        Assert.Throws<ArgumentException>(() => new Metadata.Entry("x", new byte[1]));
        byte[] bytes = [1];
        var entry = new Metadata.Entry("x-bin", bytes);
        bytes[0] = 9;
        entry.ValueBytes[0] = 8;
        Assert.Equal([1], entry.ValueBytes);
        Assert.Throws<InvalidOperationException>(() => entry.Value);
    }

    [Fact]
    public void Frozen_metadata_refuses_every_change()
    {
        var metadata = new Metadata { { "a", "b" } }.Freeze();
        var entry = new Metadata.Entry("c", "d");
        Assert.True(metadata.IsReadOnly);
        Assert.Throws<InvalidOperationException>(() => metadata.Add(entry));
        Assert.Throws<InvalidOperationException>(() => metadata.Insert(0, entry));
        Assert.Throws<InvalidOperationException>(() => metadata[0] = entry);
        Assert.Throws<InvalidOperationException>(() => metadata.Remove(metadata[0]));
        Assert.Throws<InvalidOperationException>(() => metadata.RemoveAt(0));
        Assert.Throws<InvalidOperationException>(metadata.Clear);
        Assert.Throws<InvalidOperationException>(() => Metadata.Empty.Add(entry));
    }
}
