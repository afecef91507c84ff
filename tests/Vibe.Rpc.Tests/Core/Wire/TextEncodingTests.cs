using System.Text;
using FsCheck;
using FsCheck.Fluent;
using Grpc.Core;
using Vibe.Rpc.Wire;

namespace Vibe.Rpc.Tests.Core.Wire;

public sealed class TextEncodingTests
{
    [Theory]
    [InlineData("plain text", "plain text")]
    [InlineData("", "")]
    [InlineData("100%", "100%25")]
    [InlineData("say \"hi\"", "say \"hi\"")]
    [InlineData("a\r\nb\t", "a%0D%0Ab%09")]
    [InlineData("grüße ✓ 😀", "gr%C3%BC%C3%9Fe %E2%9C%93 %F0%9F%98%80")]
    [InlineData("\u007f", "%7F")]
    public void A_status_message_is_percent_encoded_utf8(string text, string encoded)
    {
        Assert.Equal(encoded, PercentEncoding.Encode(text));
        Assert.Equal(text, PercentEncoding.Decode(encoded));
    }

    [Theory]
    [InlineData("%", "%")]
    [InlineData("%4", "%4")]
    [InlineData("%zz%41", "%zzA")]
    [InlineData("%%41", "%A")]
    [InlineData("%c3%bc", "ü")]
    [InlineData("%FF", "\uFFFD")]
    public void A_broken_escape_is_kept_and_never_fails(string encoded, string text) =>
        Assert.Equal(text, PercentEncoding.Decode(encoded));

    [Fact]
    public void Any_text_survives_percent_encoding() =>
        Prop.ForAll<string>(text =>
        {
            text ??= "";
            var wellFormed = Encoding.UTF8.GetString(Encoding.UTF8.GetBytes(text));
            var encoded = PercentEncoding.Encode(text);
            return PercentEncoding.Decode(encoded) == wellFormed && encoded.All(c => c is >= ' ' and <= '~');
        }).QuickCheckThrowOnFailure();

    [Fact]
    public void Long_text_survives_percent_encoding()
    {
        var text = string.Concat(Enumerable.Repeat("grüße ", 1000));
        Assert.Equal(text, PercentEncoding.Decode(PercentEncoding.Encode(text)));
    }

    [Fact]
    public void Decoding_never_fails() =>
        Prop.ForAll<string>(text => PercentEncoding.Decode((text ?? "").Replace('a', '%')) is not null).QuickCheckThrowOnFailure();

    [Fact]
    public void Binary_metadata_goes_out_without_padding_and_comes_in_with_or_without() =>
        Prop.ForAll<byte[]>(value =>
        {
            value ??= [];
            var encoded = BinaryMetadata.Encode(value);
            return !encoded.EndsWith('=')
                && BinaryMetadata.TryDecode(encoded, out var unpadded) && unpadded.SequenceEqual(value)
                && BinaryMetadata.TryDecode(Convert.ToBase64String(value), out var padded) && padded.SequenceEqual(value);
        }).QuickCheckThrowOnFailure();

    [Fact]
    public void Values_joined_by_commas_are_separate_values() =>
        Prop.ForAll<byte[][]>(values =>
        {
            values = [.. (values ?? []).Select(v => v ?? []).Append([1, 2, 3])];
            var decoded = new List<byte[]>();
            return BinaryMetadata.TryDecodeList(string.Join(", ", values.Select(v => Convert.ToBase64String(v))), decoded)
                && decoded.Count == values.Length
                && decoded.Zip(values).All(pair => pair.First.SequenceEqual(pair.Second));
        }).QuickCheckThrowOnFailure();

    [Theory]
    [InlineData("A")]
    [InlineData("AAAAA")]
    [InlineData("AA AA")]
    [InlineData("A=A=")]
    [InlineData("ä123")]
    [InlineData("____")]
    public void What_is_not_base64_is_refused(string encoded) => Assert.False(BinaryMetadata.TryDecode(encoded, out _));

    [Fact]
    public void Long_binary_values_survive()
    {
        var value = new byte[10_000];
        new Random(1).NextBytes(value);
        Assert.True(BinaryMetadata.TryDecode(BinaryMetadata.Encode(value), out var decoded));
        Assert.Equal(value, decoded);
    }

    [Fact]
    public void Received_binary_headers_become_entries_of_bytes()
    {
        var metadata = new Metadata();
        Assert.True(MetadataHeaders.TryAdd(metadata, "X-Data-Bin", "AQI,Aw=="));
        Assert.True(MetadataHeaders.TryAdd(metadata, "X-Text", "a,b"));
        Assert.False(MetadataHeaders.TryAdd(metadata, "x-bad-bin", "A"));
        Assert.Equal(["x-data-bin", "x-data-bin", "x-text"], metadata.Select(e => e.Key));
        Assert.Equal([1, 2], metadata[0].ValueBytes);
        Assert.Equal([3], metadata[1].ValueBytes);
        Assert.Equal("a,b", metadata[2].Value);
    }

    [Theory]
    [InlineData("grpc-status", true)]
    [InlineData("Grpc-Message", true)]
    [InlineData("grpc-timeout", true)]
    [InlineData("grpc-encoding", true)]
    [InlineData("grpc-accept-encoding", true)]
    [InlineData("content-type", true)]
    [InlineData("te", true)]
    [InlineData(":path", true)]
    [InlineData("grpc-status-details-bin", false)]
    [InlineData("user-agent", false)]
    [InlineData("authorization", false)]
    public void Headers_of_the_protocol_are_no_metadata(string name, bool reserved) =>
        Assert.Equal(reserved, MetadataHeaders.IsReserved(name));
}
