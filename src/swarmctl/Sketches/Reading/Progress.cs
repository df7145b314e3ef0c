using System.Diagnostics;

namespace Swarmctl.Sketches.Reading;

/// <summary>How much was read, shown on standard error while a person watches.</summary>
internal sealed class Progress : IDisposable
{
    private static readonly TimeSpan Every = TimeSpan.FromMilliseconds(200);

    private readonly long began = Stopwatch.GetTimestamp();
    private readonly TextWriter writer;
    private readonly long totalBytes;
    private readonly Timer? timer;
    private long bytes;
    private bool shown;

    /// <summary>Begins.</summary>
    /// <param name="writer">Standard error.</param>
    /// <param name="show">Whether a person watches.</param>
    /// <param name="totalBytes">How much there is to read; 0 where nobody knows.</param>
    public Progress(TextWriter writer, bool show, long totalBytes)
    {
        this.writer = writer;
        this.totalBytes = totalBytes;
        timer = show ? new Timer(static p => ((Progress)p!).Show(), this, Every, Every) : null;
    }

    public void Add(int count) => Interlocked.Add(ref bytes, count);

    public void Dispose()
    {
        if (timer is null)
        {
            return;
        }
        using var stopped = new ManualResetEvent(false);
        if (timer.Dispose(stopped))
        {
            stopped.WaitOne();
        }
        if (shown)
        {
            writer.Write("\r\e[K");
        }
    }

    private void Show()
    {
        long read = Interlocked.Read(ref bytes);
        double rate = read / Stopwatch.GetElapsedTime(began).TotalSeconds / 1e6;
        string part = totalBytes > 0 ? $"{100.0 * read / totalBytes:0} %, " : "";
        writer.Write($"\r\e[K{part}{read / 1e6:N0} MB read, {rate:N0} MB/s");
        shown = true;
    }
}
