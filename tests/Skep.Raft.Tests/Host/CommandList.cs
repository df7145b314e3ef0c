using System.Text;

namespace Skep.Raft.Tests.Host;

/// <summary>A state machine that remembers each command and its index.</summary>
internal sealed class CommandList : IStateMachine
{
    private readonly List<(ulong Index, string Command)> _commands = [];

    public int SnapshotsCaptured { get; private set; }

    public ulong? RestoredFrom { get; private set; }

    /// <summary>When set, a snapshot is written only after this has been completed.</summary>
    public TaskCompletionSource? HoldSnapshots { get; init; }

    public IReadOnlyList<(ulong Index, string Command)> Commands
    {
        get
        {
            lock (_commands)
            {
                return [.. _commands];
            }
        }
    }

    public void Apply(ulong index, ReadOnlyMemory<byte> command)
    {
        lock (_commands)
        {
            _commands.Add((index, Encoding.ASCII.GetString(command.Span)));
        }
    }

    public Func<Stream, CancellationToken, Task> CaptureSnapshot()
    {
        SnapshotsCaptured++;
        var state = Commands;
        return async (output, ct) =>
        {
            if (HoldSnapshots is { } hold)
            {
                await hold.Task.WaitAsync(ct);
            }

            foreach (var (index, command) in state)
            {
                await output.WriteAsync(Encoding.ASCII.GetBytes($"{index} {command}\n"), ct);
            }
        };
    }

    public async Task RestoreSnapshotAsync(ulong index, Stream snapshot, CancellationToken ct)
    {
        var state = new List<(ulong Index, string Command)>();
        using var reader = new StreamReader(snapshot, Encoding.ASCII);
        while (await reader.ReadLineAsync(ct) is { } line)
        {
            var at = line.IndexOf(' ', StringComparison.Ordinal);
            state.Add((ulong.Parse(line.AsSpan(0, at)), line[(at + 1)..]));
        }

        lock (_commands)
        {
            RestoredFrom = index;
            _commands.Clear();
            _commands.AddRange(state);
        }
    }
}
