using System.Buffers.Binary;
using CsCheck;
using Google.Protobuf.WellKnownTypes;
using Skep.Api.Backups;
using Skep.V1;

namespace Skep.Api.Tests;

/// <summary>A backup's file gives back what was written, whole, to whoever has the key; anything else is refused and said.</summary>
public sealed class BackupCodecTests
{
    private static readonly BackupSecret Key = BackupSecret.UnlockKey(new byte[32]);

    private static readonly BackupHeader About = new()
    {
        ClusterId = "cluster000000000000000000",
        Index = 4711,
        Term = 12,
        CreatedAt = Timestamp.FromDateTimeOffset(new(2026, 11, 23, 12, 0, 0, TimeSpan.Zero)),
        SkepVersion = "0.1.0",
    };

    // Sizes around the bounds of chunks, and what lies between them.
    private static readonly int[] Bounds = [0, 1, 65_535, 65_536, 65_537, 131_072, 200_000];
    private static readonly Gen<byte[]> Contents = Gen.OneOf(Gen.Int[0, 300], Gen.Int[0, Bounds.Length - 1].Select(i => Bounds[i])).Select(n => System.Security.Cryptography.RandomNumberGenerator.GetBytes(n));

    [Fact]
    public void What_was_written_is_read_however_it_was_cut_into_writes() =>
        Gen.Select(Contents, Gen.Int[1, 100_000]).Sample((content, step) =>
        {
            byte[] file = Write(content, Key, step);
            using BackupDecryptingStream reader = BackupDecryptingStream.Open(new MemoryStream(file), _ => Key);
            Assert.Equal((About.ClusterId, About.Index), (reader.Header.ClusterId, reader.Header.Index));
            return content.AsSpan().SequenceEqual(ReadAll(reader));
        }, iter: 200);

    [Fact]
    public void Any_flipped_bit_is_refused() =>
        Gen.Select(Contents, Gen.Double[0, 1], Gen.Int[0, 7]).Sample((content, where, bit) =>
        {
            byte[] file = Write(content, Key);
            file[(int)Math.Min(file.Length - 1, where * file.Length)] ^= (byte)(1 << bit);
            return IsRefused(file);
        }, iter: 500);

    [Fact]
    public void Each_bit_of_a_small_file_is_refused_when_it_is_flipped()
    {
        byte[] file = Write([1, 2, 3], Key);
        for (int bit = 0; bit < file.Length * 8; bit++)
        {
            file[bit / 8] ^= (byte)(1 << (bit % 8));
            Assert.True(IsRefused(file), $"bit {bit % 8} of byte {bit / 8}");
            file[bit / 8] ^= (byte)(1 << (bit % 8));
        }
        Assert.False(IsRefused(file));
    }

    [Fact]
    public void Any_beginning_of_a_file_is_refused() =>
        Gen.Select(Contents, Gen.Double[0, 1]).Sample((content, where) =>
        {
            byte[] file = Write(content, Key);
            return IsRefused(file[..(int)Math.Min(file.Length - 1, where * file.Length)]);
        }, iter: 500);

    [Fact]
    public void Cut_between_two_chunks_it_is_said_to_be_cut_short()
    {
        byte[] file = Write(new byte[150_000], Key);
        Assert.StartsWith("this backup is damaged: it was cut short;", Refusal(file[..(file.Length - ChunkSize(150_000 - (2 * 65_536)))]), StringComparison.Ordinal);
    }

    [Fact]
    public void Chunks_in_another_order_left_out_or_taken_from_another_file_are_refused()
    {
        byte[] content = new byte[3 * 65_536];
        byte[] file = Write(content, Key);
        byte[] other = Write(content, Key);
        int head = file.Length - (3 * ChunkSize(65_536));
        byte[][] chunks = [.. Enumerable.Range(0, 3).Select(i => file[(head + (i * ChunkSize(65_536)))..(head + ((i + 1) * ChunkSize(65_536)))])];

        Assert.False(IsRefused([.. file[..head], .. chunks[0], .. chunks[1], .. chunks[2]]));
        Assert.True(IsRefused([.. file[..head], .. chunks[1], .. chunks[0], .. chunks[2]]));
        Assert.True(IsRefused([.. file[..head], .. chunks[0], .. chunks[2]]));
        Assert.True(IsRefused([.. file[..head], .. chunks[0], .. chunks[0], .. chunks[1], .. chunks[2]]));
        Assert.True(IsRefused([.. other[..head], .. chunks[0], .. chunks[1], .. chunks[2]]));
        Assert.Equal("this backup is damaged: something follows its end; take another copy of it, or an older backup", Refusal([.. file, 0]));

        // The second chunk called the last one.
        byte[] marked = [.. chunks[1]];
        marked[3] |= 0x80;
        Assert.True(IsRefused([.. file[..head], .. chunks[0], .. marked]));
    }

    [Fact]
    public void A_wrong_key_a_key_of_the_wrong_kind_and_damage_are_told_apart()
    {
        BackupSecret passphrase = BackupSecret.Passphrase("correct horse");
        byte[] file = Write([1], passphrase);
        Assert.Equal([1], ReadAll(BackupDecryptingStream.Open(new MemoryStream(file), _ => BackupSecret.Passphrase("correct horse"))));

        Assert.StartsWith("this is not the passphrase that the backup was encrypted to", Refusal(file, BackupSecret.Passphrase("correct house")), StringComparison.Ordinal);
        Assert.Equal("this backup was encrypted to the passphrase; give that, and not the cluster's unlock key", Refusal(file, Key));
        Assert.StartsWith("this is not the cluster's unlock key that the backup was encrypted to", Refusal(Write([1], Key), BackupSecret.UnlockKey(new byte[] { 1 })), StringComparison.Ordinal);
        file[20] ^= 1;
        Assert.StartsWith("this backup is damaged: its header is not what was written", Refusal(file, passphrase), StringComparison.Ordinal);
    }

    [Fact]
    public void What_is_no_backup_and_what_is_of_a_newer_version_is_said()
    {
        Assert.StartsWith("this is no backup of a Skep cluster", Refusal([]), StringComparison.Ordinal);
        Assert.StartsWith("this is no backup of a Skep cluster", Refusal(new byte[100]), StringComparison.Ordinal);
        byte[] file = Write([1], Key);
        BinaryPrimitives.WriteUInt32LittleEndian(file.AsSpan(8), 2);
        Assert.Equal("this backup has format version 2 and this program reads version 1; use the Skep that wrote it, or a newer one", Refusal(file));
    }

    [Fact]
    public void The_header_is_read_without_the_key_and_a_passphrase_costs_its_rounds()
    {
        using var file = new MemoryStream();
        using (BackupEncryptingStream writer = BackupEncryptingStream.Create(file, About, BackupSecret.Passphrase("correct horse")))
        {
            writer.Complete();
        }
        file.Position = 0;
        BackupHeader header = BackupFormat.ReadHeader(file);
        Assert.Equal((About.ClusterId, 600_000u, 32), (header.ClusterId, header.KdfIterations, header.Salt.Length));
    }

    [Fact]
    public void A_short_passphrase_is_refused() =>
        Assert.Equal("the passphrase has 7 characters; give one of at least 8", Assert.Throws<BackupException>(() => BackupSecret.Passphrase("1234567")).Message);

    private static int ChunkSize(int content) => 4 + content + 16;

    private static byte[] Write(byte[] content, BackupSecret secret, int step = 10_000)
    {
        using var file = new MemoryStream();
        using BackupEncryptingStream writer = BackupEncryptingStream.Create(file, About, secret, iterations: 2);
        for (int at = 0; at < content.Length; at += step)
        {
            writer.Write(content, at, Math.Min(step, content.Length - at));
        }
        writer.Complete();
        return file.ToArray();
    }

    private static byte[] ReadAll(BackupDecryptingStream reader)
    {
        using var content = new MemoryStream();
        reader.CopyTo(content);
        return content.ToArray();
    }

    private static bool IsRefused(byte[] file) => Refusal(file) is not null;

    private static string? Refusal(byte[] file, BackupSecret? secret = null)
    {
        try
        {
            using BackupDecryptingStream reader = BackupDecryptingStream.Open(new MemoryStream(file), _ => secret ?? Key);
            reader.CopyTo(Stream.Null);
            return null;
        }
        catch (BackupException e)
        {
            return e.Message;
        }
    }
}
