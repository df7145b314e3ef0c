namespace Skep.Jute.Tests;

/// <summary>Bytes put together by hand from the field order in zookeeper.jute.</summary>
public sealed class Records_as_zookeeper_writes_them
{
    private static readonly Acl Open = new(31, new AclId("world", "anyone"));

    [Fact]
    public void A_connect_has_its_read_only_flag_last_and_a_client_before_3_4_leaves_it_out()
    {
        byte[] old = Convert.FromHexString("00000000" + "0000000000000007" + "00002710" + "0000000000000000" + "00000002" + "0102");
        Assert.Equal(old, Bytes.Of(new ConnectRequest(0, 7, 10_000, 0, new byte[] { 1, 2 }, null)));
        Assert.Equal([.. old, 1], Bytes.Of(new ConnectRequest(0, 7, 10_000, 0, new byte[] { 1, 2 }, true)));
        var reader = new JuteReader(old);
        Assert.Null(ConnectRequest.Read(ref reader).ReadOnly);
    }

    [Fact]
    public void A_create_is_path_data_acl_flags()
    {
        string expected = "00000002" + "2F61" + "FFFFFFFF" + "00000001" + "0000001F" + "00000005" + "776F726C64" + "00000006" + "616E796F6E65" + "00000003";
        Assert.Equal(expected, Convert.ToHexString(Bytes.Of(new CreateRequest("/a", null, [Open], 3))));
    }

    [Fact]
    public void A_stat_has_68_bytes_in_the_order_of_the_jute_file()
    {
        string expected = "0000000000000001" + "0000000000000002" + "0000000000000003" + "0000000000000004" + "00000005" + "00000006"
            + "00000007" + "0000000000000008" + "00000009" + "0000000A" + "000000000000000B";
        Assert.Equal(expected, Convert.ToHexString(Bytes.Of(new Stat(1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11))));
    }

    [Fact]
    public void A_multi_ends_with_a_header_that_says_done()
    {
        var multi = new MultiRequest([new MultiOp(OpCode.Check, "/a", null, [], 0, 0, 4)]);
        Assert.Equal("0000000D" + "00" + "FFFFFFFF" + "00000002" + "2F61" + "00000004" + "FFFFFFFF" + "01" + "FFFFFFFF",
            Convert.ToHexString(Bytes.Of(multi)));
    }

    [Fact]
    public void A_part_of_a_multi_that_failed_has_its_error_in_the_header_and_behind_it()
    {
        var answer = new MultiResponse([MultiResult.Failed(ErrorCode.NoNode)]);
        Assert.Equal("FFFFFFFF" + "00" + "FFFFFF9B" + "FFFFFF9B" + "FFFFFFFF" + "01" + "FFFFFFFF", Convert.ToHexString(Bytes.Of(answer)));
    }

    [Fact]
    public void A_buffer_that_was_read_is_a_slice_of_the_frame()
    {
        byte[] bytes = Bytes.Of(new SetDataRequest("/a", new byte[] { 1, 2, 3 }, -1));
        var reader = new JuteReader(bytes);
        ReadOnlyMemory<byte> data = SetDataRequest.Read(ref reader).Data!.Value;
        bytes[10] = 99;
        Assert.Equal(99, data.Span[0]);
    }
}
