using Microsoft.Win32.SafeHandles;
using Swarmctl.Connection;
using Swarmctl.Sketches.Reading;

namespace Swarmctl.Sketches;

/// <summary>One file, or what else is read like one: standard input ("-"), a pipe.</summary>
internal sealed class InputFile : IDisposable
{
    private readonly LineBuffer begin = new();
    private readonly LineFile? file;
    private readonly Stream? stream;
    private readonly int headerBytes;

    private InputFile(Stream stream, bool withHeader)
    {
        this.stream = stream;
        headerBytes = withHeader ? ReadHeader(stream) : 0;
    }

    private InputFile(SafeFileHandle handle, long lengthBytes, bool withHeader)
    {
        LengthBytes = lengthBytes;
        if (withHeader)
        {
            // Not to be closed: the handle goes on being read.
            headerBytes = ReadHeader(new FileStream(new SafeFileHandle(handle.DangerousGetHandle(), ownsHandle: false), FileAccess.Read, 0));
        }
        file = new LineFile(handle, lengthBytes, headerBytes);
    }

    /// <summary>0 where nobody knows.</summary>
    public long LengthBytes { get; }

    /// <summary>The first line, if it was asked for.</summary>
    public ReadOnlySpan<byte> Header => begin.Content[..headerBytes].TrimEnd((byte)'\n');

    public static InputFile Open(string name, Surroundings around, bool withHeader)
    {
        if (name == "-")
        {
            return new InputFile(around.Input ?? Console.OpenStandardInput(), withHeader);
        }
        try
        {
            SafeFileHandle handle = File.OpenHandle(name, options: FileOptions.SequentialScan);
            try
            {
                // What the kernel makes up as it is read (/proc) and block devices seem to be empty.
                return RandomAccess.GetLength(handle) is > 0 and var lengthBytes
                    ? new InputFile(handle, lengthBytes, withHeader)
                    : new InputFile(new FileStream(handle, FileAccess.Read, 0), withHeader);
            }
            catch (NotSupportedException)
            {
                // A pipe.
                return new InputFile(new FileStream(handle, FileAccess.Read, 0), withHeader);
            }
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new UserException($"{name} cannot be read: {e.Message}");
        }
    }

    public void Feed(Feeder feeder)
    {
        if (file is not null)
        {
            feeder.FeedFiles([file]);
        }
        else
        {
            feeder.FeedStream(stream!, begin.Content[headerBytes..]);
        }
    }

    public void Dispose()
    {
        file?.Dispose();
        stream?.Dispose();
    }

    private int ReadHeader(Stream from)
    {
        while (true)
        {
            int newline = begin.Content.IndexOf((byte)'\n');
            if (newline >= 0)
            {
                return newline + 1;
            }
            int read = from.Read(begin.Free);
            if (read == 0)
            {
                return begin.Held;
            }
            begin.Filled(read);
        }
    }
}
