using System.Diagnostics.Metrics;

namespace Skep.Bench.Raft;

/// <summary>What only a member itself can tell, kept in a file beside its log.</summary>
internal sealed record MemberFigures(long Syncs, long HeapBytes)
{
    private static readonly TimeSpan Every = TimeSpan.FromMilliseconds(250);

    public static MemberFigures Read(string folder, int member)
    {
        string[] text = File.ReadAllText(NameOf(folder, (ulong)member)).Split(' ');
        return new MemberFigures(long.Parse(text[0]), long.Parse(text[1]));
    }

    public static async Task WriteAsync(string folder, ulong member)
    {
        long syncs = 0;
        using var listener = new MeterListener();
        listener.InstrumentPublished = static (instrument, l) =>
        {
            if (instrument.Name == "skep.raft.sync.duration")
            {
                l.EnableMeasurementEvents(instrument);
            }
        };
        listener.SetMeasurementEventCallback<double>((_, _, _, _) => Interlocked.Increment(ref syncs));
        listener.Start();
        using var timer = new PeriodicTimer(Every);
        do
        {
            string name = NameOf(folder, member);
            await File.WriteAllTextAsync(name + ".new", $"{Interlocked.Read(ref syncs)} {GC.GetTotalMemory(false)}");
            File.Move(name + ".new", name, overwrite: true);
        }
        while (await timer.WaitForNextTickAsync());
    }

    private static string NameOf(string folder, ulong member) => Path.Combine(folder, $"figures-{member}");
}
