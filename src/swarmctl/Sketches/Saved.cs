using System.CommandLine;
using Skep.Sketches;

namespace Swarmctl.Sketches;

/// <summary>Sketches and seeds in files.</summary>
internal static class Saved
{
    public static readonly Option<string> Output = new("--output", "-o") { Description = "Save the sketch in this file", HelpName = "string" };
    public static readonly Option<bool> Redis = new("--redis") { Description = "Save as the string that Redis keeps a HyperLogLog in" };
    public static readonly Option<string> SeedFile = new("--seed-file") { Description = "Use the keyed profile with the 16 secret bytes, as hex, of this file (made where missing)", HelpName = "string" };

    // What a filter of the largest size takes.
    private const long MaxFileBytes = int.MaxValue - 1024;

    /// <summary>The seed to use; none in the compatible profile.</summary>
    public static SketchSeed? Seed(ParseResult flags)
    {
        if (flags.GetValue(SeedFile) is not { } path)
        {
            return null;
        }
        try
        {
            if (!File.Exists(path))
            {
                Write(path, System.Text.Encoding.ASCII.GetBytes(Convert.ToHexStringLower(System.Security.Cryptography.RandomNumberGenerator.GetBytes(SketchSeed.SizeBytes)) + "\n"), UnixFileMode.UserRead | UnixFileMode.UserWrite);
            }
            return SketchSeed.FromBytes(Convert.FromHexString(File.ReadAllText(path).Trim()));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or FormatException or ArgumentException)
        {
            throw new UserException($"no seed can be read from {path} (expected are {SketchSeed.SizeBytes * 2} hex digits): {e.Message}");
        }
    }

    public static void Save(string path, byte[] bytes) =>
        Write(path, bytes, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.GroupRead | UnixFileMode.OtherRead);

    public static byte[] Read(string path)
    {
        try
        {
            return new FileInfo(path).Length <= MaxFileBytes
                ? File.ReadAllBytes(path)
                : throw new UserException($"{path} is too large to be a sketch");
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new UserException($"{path} cannot be read: {e.Message}");
        }
    }

    /// <summary>Reads a sketch; failures name the file.</summary>
    public static T Parse<T>(string path, ReadOnlySpan<byte> bytes, SketchSeed? seed, Parser<T> parse)
    {
        try
        {
            return parse(bytes, seed);
        }
        catch (SketchFormatException e)
        {
            throw new UserException($"{path}: {e.Message}");
        }
    }

    public static BloomFilter ReadBloom(string path, SketchSeed? seed) => Parse(path, Read(path), seed, BloomFilter.Parse);

    public static HyperLogLog ReadDistinct(string path, SketchSeed? seed)
    {
        byte[] bytes = Read(path);
        return bytes.AsSpan().StartsWith("HYLL"u8)
            ? Parse(path, bytes, null, static (b, _) => HyperLogLog.ParseRedis(b))
            : Parse(path, bytes, seed, HyperLogLog.Parse);
    }

    // Whole or not at all: write-new, sync, rename.
    private static void Write(string path, byte[] bytes, UnixFileMode mode)
    {
        string part = $"{path}.{Environment.ProcessId}.part";
        try
        {
            using (var file = new FileStream(part, new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write, UnixCreateMode = mode }))
            {
                file.Write(bytes);
                file.Flush(flushToDisk: true);
            }
            File.Move(part, path, overwrite: true);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            if (Directory.Exists(Path.GetDirectoryName(Path.GetFullPath(part))))
            {
                File.Delete(part);
            }
            throw new UserException($"{path} cannot be written: {e.Message}");
        }
    }

    public delegate T Parser<T>(ReadOnlySpan<byte> bytes, SketchSeed? seed);
}
