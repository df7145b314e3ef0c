using System.Buffers.Binary;
using Skep.Raft;

namespace Skep.Bench.Raft;

/// <summary>
/// Objects by number, in pages. A snapshot takes hold of the pages as they are; a page that is written to afterwards is copied first,
/// as the store's tables are.
/// </summary>
internal sealed class ObjectTable : IStateMachine
{
    public const int Objects = 500_000;
    public const int NumberAt = 16;
    private const int PageSize = 256;

    private Page[] _pages = [.. Enumerable.Range(0, (Objects + PageSize - 1) / PageSize).Select(static _ => new Page(0, new byte[PageSize][]))];
    private int _generation;

    public void Apply(ulong index, ReadOnlyMemory<byte> command)
    {
        int number = (int)(BinaryPrimitives.ReadUInt32LittleEndian(command.Span[NumberAt..]) % Objects);
        ref Page page = ref _pages[number / PageSize];
        if (page.Generation != _generation)
        {
            page = new Page(_generation, [.. page.Objects]);
        }

        page.Objects[number % PageSize] = command.ToArray();
    }

    public Func<Stream, CancellationToken, Task> CaptureSnapshot()
    {
        Page[] pages = [.. _pages];
        _generation++;
        return async (output, ct) =>
        {
            byte[] empty = new byte[Pipe.CommandSizeBytes];
            byte[] buffer = new byte[PageSize * Pipe.CommandSizeBytes];
            foreach (Page page in pages)
            {
                for (int i = 0; i < PageSize; i++)
                {
                    (page.Objects[i] ?? empty).CopyTo(buffer, i * Pipe.CommandSizeBytes);
                }

                await output.WriteAsync(buffer, ct);
            }
        };
    }

    public async Task RestoreSnapshotAsync(ulong index, Stream snapshot, CancellationToken ct)
    {
        var pages = new Page[_pages.Length];
        byte[] buffer = new byte[PageSize * Pipe.CommandSizeBytes];
        for (int i = 0; i < pages.Length; i++)
        {
            await snapshot.ReadExactlyAsync(buffer, ct);
            pages[i] = new Page(_generation, [.. buffer.Chunk(Pipe.CommandSizeBytes)]);
        }

        _pages = pages;
    }

    private sealed record Page(int Generation, byte[]?[] Objects);
}
