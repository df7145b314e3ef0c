using System.Security.Cryptography;
using CsCheck;
using Skep.Raft.Log;

namespace Skep.Raft.Tests.Log;

public sealed class GcmTests
{
    private static readonly Gen<(byte[] Key, byte[] Nonce, byte[] Text, byte[] Associated)> Pieces =
        Gen.Select(Gen.Byte.Array[32], Gen.Byte.Array[12], Gen.Byte.Array[0, 3000], Gen.Byte.Array[1, 80]);

    [Fact]
    public void What_it_encrypts_is_what_dotnet_encrypts() => Pieces.Sample(static p =>
    {
        using var theirs = new AesGcm(p.Key, 16);
        using var ours = new Gcm(p.Key);
        byte[] expected = new byte[p.Text.Length], expectedTag = new byte[16], text = [.. p.Text], tag = new byte[16];
        theirs.Encrypt(p.Nonce, p.Text, expected, expectedTag, p.Associated);
        ours.Encrypt(p.Nonce, text, tag, p.Associated);
        Assert.Equal(expected, text);
        Assert.Equal(expectedTag, tag);
        byte[] back = new byte[text.Length];
        ours.Decrypt(p.Nonce, text, tag, back, p.Associated);
        Assert.Equal(p.Text, back);
    });

    [Fact]
    public void What_was_changed_is_refused_and_the_next_piece_is_not() => Pieces.Sample(static p =>
    {
        using var ours = new Gcm(p.Key);
        byte[] text = [.. p.Text], tag = new byte[16], back = new byte[text.Length];
        ours.Encrypt(p.Nonce, text, tag, p.Associated);
        tag[3] ^= 1;
        Assert.Throws<AuthenticationTagMismatchException>(() => ours.Decrypt(p.Nonce, text, tag, back, p.Associated));
        tag[3] ^= 1;
        ours.Decrypt(p.Nonce, text, tag, back, p.Associated);
        Assert.Equal(p.Text, back);
    });
}
