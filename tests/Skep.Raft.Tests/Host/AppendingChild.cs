using System.Globalization;
using System.Text;
using Skep.Raft.Tests.Simulation;

namespace Skep.Raft.Tests.Host;

/// <summary>
/// The process that the tests kill: many callers propose without pause, and each index that was acknowledged is
/// printed with its command, after the acknowledgement.
/// </summary>
internal static class AppendingChild
{
    public const string Argument = "--append-until-killed";
    private const int Callers = 16;

    public static SoloOptions Options(string folder) => new()
    {
        Folder = folder,
        DataKey = TestKeys.DataKey,
        Member = new RaftMember(7, ""),
        SegmentSizeBytes = 256 * 1024,
        SnapshotEveryEntries = 2_000,
        KeepEntries = 100,
    };

    public static async Task<int> RunAsync(string folder)
    {
        await using var group = await Solo.OpenAsync(Options(folder), new CommandList());
        using var output = new StreamWriter(Console.OpenStandardOutput()) { AutoFlush = true };
        var gate = new Lock();
        var run = Guid.NewGuid().ToString("N");
        await Task.WhenAll(Enumerable.Range(0, Callers).Select(caller => Task.Run(async () =>
        {
            for (var i = 0; ; i++)
            {
                var command = $"{run}/{caller}/{i}";
                var index = await group.ProposeAsync(Encoding.ASCII.GetBytes(command));
                lock (gate)
                {
                    output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{index} {command}"));
                }
            }
        })));
        return 0;
    }
}
