using System.Text;

namespace Skep.Sketches.Tests;

public sealed class Hash_functions
{
    // From xxh64sum 0.8 over the first bytes of Seeds.Bytes.
    public static readonly TheoryData<int, ulong> XxVectors = new()
    {
        { 0, 0xef46db3751d8e999 }, { 1, 0x1f25c8d0bc1f4bb6 }, { 3, 0x31d2363f52e564c9 }, { 4, 0x9bb64b7d66ee9fda },
        { 7, 0x9a7b149959ce60d8 }, { 8, 0xdab99d95c6f90092 }, { 9, 0x170bb6bf975b4c02 }, { 15, 0x1b47cb8243cc8e32 },
        { 31, 0xa2aa5f33cc4a6119 }, { 32, 0x23c3c17ef790fd97 }, { 33, 0x50a7cfc7ba588784 }, { 63, 0x5e3e54b431c7493c },
        { 64, 0x0eb64b3ef6eeb01f }, { 100, 0xa61f8d4c170fe531 }, { 200, 0xa6cb3c09bc829b24 },
    };

    // From CPython 3.11 with PYTHONHASHSEED=0 (a key of zeros) over the same bytes.
    public static readonly TheoryData<int, ulong> SipVectors = new()
    {
        { 8, 0x36c186f0aa4cdbeb }, { 9, 0x5176191e3d24cbff }, { 15, 0x19ed3f1b38f7e4e2 }, { 16, 0xd1c94d62751d7b7b },
        { 63, 0x42ed5c087e0bfe5d }, { 64, 0x65134a36595a21fb }, { 100, 0xde2a45bb2a709f2a }, { 200, 0x63c7d95ac2efcfda },
    };

    [Theory, MemberData(nameof(XxVectors))]
    public void Xxh64_is_that_of_the_xxhash_tool(int length, ulong expected) =>
        Assert.Equal(expected, XxHash64.Hash(Seeds.Bytes(length)));

    [Theory, MemberData(nameof(SipVectors))]
    public void SipHash_1_3_is_that_of_Python(int length, ulong expected) =>
        Assert.Equal(expected, SipHash.Hash13(0, 0, Seeds.Bytes(length)));

    [Fact]
    public void Many_numbers_at_once_have_the_hashes_that_each_has()
    {
        var random = new Random(3);
        for (int count = 0; count < 70; count++)
        {
            ulong[] keys = [.. Enumerable.Range(0, count).Select(i => i % 7 == 0 ? ulong.MaxValue - (ulong)i : (ulong)random.NextInt64())], hashes = new ulong[count];
            XxHash64.HashMany(keys, hashes);
            Assert.Equal(keys.Select(static k => XxHash64.Hash(BitConverter.GetBytes(k))), hashes);
        }
    }

    [Fact]
    public void SipHash_2_4_gives_the_value_printed_in_its_paper()
    {
        byte[] message = [.. Enumerable.Range(0, 15).Select(static i => (byte)i)];
        Assert.Equal(0xa129ca6149be45e5, SipHash.Hash(0x0706050403020100, 0x0f0e0d0c0b0a0908, message, 2, 4));
    }

    [Fact]
    public void A_number_is_its_eight_bytes_and_a_text_its_utf8_in_both_profiles()
    {
        foreach (SketchSeed? seed in new[] { null, Seeds.Number(5) })
        {
            Check(new KeyHasher<XxHash64>(seed));
            Check(new KeyHasher<MurmurHash64A>(seed));
        }

        static void Check<T>(KeyHasher<T> hasher)
            where T : struct, IHashFamily
        {
            Assert.Equal(hasher.Hash(BitConverter.GetBytes(0x0123456789abcdefUL)), hasher.Hash(0x0123456789abcdefUL));
            foreach (string text in new[] { "", "a", "grüße", new string('ß', 3000) })
            {
                Assert.Equal(hasher.Hash(Encoding.UTF8.GetBytes(text)), hasher.Hash(text));
            }
        }
    }
}
