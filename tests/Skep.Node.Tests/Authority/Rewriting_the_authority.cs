using System.Buffers;
using System.Text;
using CsCheck;
using Skep.Node.Authority;
using static Skep.Node.Tests.Authority.HpackText;

namespace Skep.Node.Tests.Authority;

public sealed class Rewriting_the_authority
{
    private const byte Headers = 1;
    private const byte Continuation = 9;
    private const byte EndStream = 1;
    private const byte EndHeaders = 4;
    private const byte Padded = 8;
    private const byte Priority = 0x20;

    private static readonly byte[] Preface = Encoding.ASCII.GetBytes("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n");
    private static readonly byte[] Localhost = [0x01, 9, .. "localhost"u8];

    [Fact]
    public void A_socket_path_becomes_localhost()
    {
        byte[] block = [.. Indexed(3), .. Literal(0x00, 4, 1, Plain("/tmp/manager1/swarm.sock")), .. Indexed(7)];
        Assert.Equal([.. Indexed(3), .. Localhost, .. Indexed(7)], RewriteBlock(block));
    }

    [Theory]
    [InlineData(0x40, 6, 0x41)]
    [InlineData(0x10, 4, 0x11)]
    [InlineData(0x00, 4, 0x01)]
    public void Each_way_to_write_a_literal_is_kept(byte representation, int prefixBits, byte expected)
    {
        byte[] block = Literal(representation, prefixBits, 1, Plain("/x.sock"));
        Assert.Equal([expected, .. Localhost[1..]], RewriteBlock(block));
    }

    [Fact]
    public void A_huffman_value_is_replaced_without_being_decoded() =>
        Assert.Equal(Localhost, RewriteBlock(Literal(0x00, 4, 1, [0x83, 0xaa, 0xbb, 0xcc])));

    [Fact]
    public void The_name_may_be_spelled_out() =>
        Assert.Equal(Localhost, RewriteBlock([0x00, .. Plain(":authority"), .. Plain("/x.sock")]));

    [Fact]
    public void The_spelled_name_may_be_huffman_coded()
    {
        // ":authority" in the codes of RFC 7541, appendix B.
        byte[] name = [0xb8, 0x3b, 0x53, 0x39, 0xec, 0x32, 0x7d, 0x7f];
        Assert.Equal(Localhost, RewriteBlock([0x00, (byte)(0x80 | name.Length), .. name, .. Plain("/x.sock")]));
    }

    [Fact]
    public void Other_fields_go_through_as_they_are()
    {
        byte[] block = [.. SizeUpdate(0), .. Indexed(3), .. Literal(0x40, 6, 4, Plain("/docker.swarmkit.v1.Control/ListNodes")), 0x40, .. Plain("te"), .. Plain("trailers")];
        Assert.Equal(block, RewriteBlock(block));
    }

    [Fact]
    public void An_index_into_the_dynamic_table_ends_the_connection()
    {
        AuthorityException e = Assert.Throws<AuthorityException>(() => RewriteBlock(Indexed(62)));
        Assert.Contains("dynamic table", e.Message, StringComparison.Ordinal);
        Assert.Throws<AuthorityException>(() => RewriteBlock(Literal(0x40, 6, 62, Plain("x"))));
    }

    [Fact]
    public void A_block_spread_over_continuations_with_padding_and_priority_is_one_block()
    {
        byte[] block = [.. Indexed(3), .. Literal(0x00, 4, 1, Plain("/tmp/swarm.sock")), .. Indexed(7)];
        byte[] first = [5, 0, 0, 0, 0, 16, .. block[..4], 0, 0, 0, 0, 0];
        byte[] input =
        [
            .. Preface,
            .. Frame(4, 0, 0, []),
            .. Frame(Headers, EndStream | Padded | Priority, 1, first),
            .. Frame(Continuation, 0, 1, block[4..9]),
            .. Frame(Continuation, EndHeaders, 1, block[9..]),
            .. Frame(0, EndStream, 1, [1, 2, 3]),
        ];
        byte[] expected =
        [
            .. Preface,
            .. Frame(4, 0, 0, []),
            .. Frame(Headers, EndStream | EndHeaders, 1, [.. Indexed(3), .. Localhost, .. Indexed(7)]),
            .. Frame(0, EndStream, 1, [1, 2, 3]),
        ];
        Assert.Equal(expected, Rewrite(input));
    }

    [Fact]
    public void Input_may_come_in_any_pieces()
    {
        byte[] input =
        [
            .. Preface,
            .. Frame(Headers, EndHeaders, 1, Literal(0x00, 4, 1, Plain("/x"))),
            .. Frame(0, 0, 1, [.. Enumerable.Repeat((byte)7, 300)]),
        ];
        byte[] whole = Rewrite(input);
        Gen.Int[1, input.Length].Array[1, 40].Sample(sizes => Assert.Equal(whole, Rewrite(input, sizes)), iter: 300);
    }

    [Theory]
    [InlineData("a frame over the limit")]
    [InlineData("another frame inside a block")]
    [InlineData("a continuation of nothing")]
    [InlineData("a block without end")]
    [InlineData("no preface")]
    public void What_no_client_sends_ends_the_connection(string what)
    {
        byte[] open = Frame(Headers, 0, 1, Indexed(3));
        byte[] input = what switch
        {
            "a frame over the limit" => [.. Preface, 0xff, 0xff, 0xff, 0, 0, 0, 0, 0, 1],
            "another frame inside a block" => [.. Preface, .. open, .. Frame(6, 0, 0, new byte[8])],
            "a continuation of nothing" => [.. Preface, .. Frame(Continuation, EndHeaders, 1, Indexed(3))],
            "a block without end" => [.. Preface, .. open, .. Enumerable.Repeat(Frame(Continuation, 0, 1, new byte[16000]), 5).SelectMany(f => f)],
            _ => Encoding.ASCII.GetBytes("GET / HTTP/1.1\r\n\r\n"),
        };
        Assert.Throws<AuthorityException>(() => Rewrite(input));
    }

    [Fact]
    public void Garbage_never_does_more_than_end_the_connection() =>
        Gen.Byte.Array[0, 200].Sample(
            bytes =>
            {
                try
                {
                    Rewrite([.. Preface, .. bytes]);
                    RewriteBlock(bytes);
                }
                catch (AuthorityException)
                {
                    // What it is for.
                }
            },
            iter: 200_000);

    private static byte[] RewriteBlock(byte[] block)
    {
        var to = new ArrayBufferWriter<byte>();
        HeaderBlock.Rewrite(block, "localhost"u8, to);
        return to.WrittenSpan.ToArray();
    }

    private static byte[] Rewrite(byte[] input, int[]? sizes = null)
    {
        var rewriter = new AuthorityRewriter();
        var to = new ArrayBufferWriter<byte>();
        var waiting = new List<byte>();
        int at = 0;
        for (int i = 0; at < input.Length; i++)
        {
            int size = Math.Min(sizes is null ? input.Length : sizes[i % sizes.Length], input.Length - at);
            waiting.AddRange(input.AsSpan(at, size));
            at += size;
            long used = rewriter.Rewrite(new ReadOnlySequence<byte>(waiting.ToArray()), to);
            waiting.RemoveRange(0, (int)used);
        }
        return to.WrittenSpan.ToArray();
    }
}
