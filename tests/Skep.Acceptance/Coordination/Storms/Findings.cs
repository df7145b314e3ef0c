using System.Collections.Concurrent;
using System.Diagnostics;

namespace Skep.Acceptance.Coordination.Storms;

/// <summary>What must not be and was, and what befell the servers, in their order.</summary>
internal sealed class Findings
{
    private const int MostTold = 40;

    private readonly long began = Stopwatch.GetTimestamp();
    private readonly ConcurrentQueue<string> faults = new();
    private readonly ConcurrentQueue<string> trace = new();

    /// <summary>What befell the servers, and when.</summary>
    public string Trace => string.Join('\n', trace);

    public void Note(string what) => trace.Enqueue(Line(what));

    /// <summary>Keeps something that must not be; a storm goes on, so that it tells of everything.</summary>
    public void Fault(string what) => faults.Enqueue(Line(what));

    public void MustBeNone() => Assert.True(faults.IsEmpty, $"{faults.Count} findings:\n{string.Join('\n', faults.Take(MostTold))}");

    private string Line(string what) => $"{Stopwatch.GetElapsedTime(began).TotalSeconds,7:0.00} s {what}";
}
