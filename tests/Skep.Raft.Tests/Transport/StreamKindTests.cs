using System.Text;
using Skep.Raft.Transport;

namespace Skep.Raft.Tests.Transport;

/// <summary>How a stream begins is believed as a whole or not at all: the address in it is where its opener is dialled from then on.</summary>
public sealed class StreamKindTests
{
    [Theory]
    [InlineData(StreamKind.Messages)]
    [InlineData(StreamKind.Snapshot)]
    public async Task What_was_written_is_read(byte kind) =>
        Assert.Equal((kind, "10.0.0.1:4242"), await ReadAsync(StreamKind.Opening(kind, new RaftMember(2, "10.0.0.1:4242"))));

    [Theory]
    [InlineData(0)]
    [InlineData(255)]
    public async Task An_unknown_kind_is_refused_before_its_address_is_read(byte kind)
    {
        var refused = await Assert.ThrowsAsync<InvalidDataException>(async () => await ReadAsync([kind, 200, .. "10.0.0.1:4242"u8]));
        Assert.Contains($"kind {kind}", refused.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("\u0000\u0016:4242")]
    [InlineData("10.0.0.1 :4242")]
    [InlineData("\ufffd:4242")]
    public async Task An_address_of_other_than_plain_characters_is_refused(string address)
    {
        byte[] bytes = Encoding.UTF8.GetBytes(address);
        await Assert.ThrowsAsync<InvalidDataException>(async () => await ReadAsync([StreamKind.Messages, (byte)bytes.Length, .. bytes]));
    }

    [Fact]
    public async Task A_stream_that_ends_before_it_began_is_none() => Assert.Null(await ReadAsync([1]));

    private static ValueTask<(byte Kind, string Address)?> ReadAsync(byte[] bytes) => StreamKind.ReadOpeningAsync(new MemoryStream(bytes), default);
}
