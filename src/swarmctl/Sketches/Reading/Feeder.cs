using System.Collections.Concurrent;

namespace Swarmctl.Sketches.Reading;

/// <summary>
/// Gives the lines of files, or of a stream, to as many workers as there are consumers. Files are read in place by the workers themselves;
/// a stream by one reader, who cuts it between lines. Memory is what the buffers take, however much is read.
/// </summary>
internal sealed class Feeder(IReadOnlyList<BufferConsumer> consumers, Progress progress)
{
    private readonly ConcurrentQueue<Exception> failures = new();

    /// <summary>Reads all files; returns when every line was taken.</summary>
    public void FeedFiles(IReadOnlyList<LineFile> files)
    {
        var todo = new ConcurrentQueue<(LineFile File, long Segments)>(files.Select(static f => (f, f.Segments)));
        (LineFile File, long Segments)[] all = [.. todo];
        long total = all.Sum(static f => f.Segments), taken = -1;
        Run(consumer =>
        {
            var buffer = new LineBuffer();
            for (long segment = Interlocked.Increment(ref taken); segment < total && failures.IsEmpty; segment = Interlocked.Increment(ref taken))
            {
                long left = segment;
                int file = 0;
                while (left >= all[file].Segments)
                {
                    left -= all[file++].Segments;
                }
                all[file].File.Read(left, buffer, consumer, progress);
            }
        });
    }

    /// <summary>Reads a stream to its end; returns when every line was taken.</summary>
    /// <param name="stream">What to read.</param>
    /// <param name="begin">What was read of it already.</param>
    public void FeedStream(Stream stream, ReadOnlySpan<byte> begin)
    {
        // Each buffer is either full of lines, on its way to a worker, or empty, on its way back.
        int buffers = (consumers.Count * 2) + 1;
        using var full = new BlockingCollection<LineBuffer>(buffers);
        using var empty = new BlockingCollection<LineBuffer>(buffers);
        for (int i = 1; i < buffers; i++)
        {
            empty.Add(new LineBuffer());
        }
        var current = new LineBuffer();
        current.Append(begin);
        var reader = new Thread(() => Guard(() => ReadStream(stream, current, full, empty), full)) { IsBackground = true };
        reader.Start();
        Run(consumer =>
        {
            foreach (LineBuffer buffer in full.GetConsumingEnumerable())
            {
                try
                {
                    if (failures.IsEmpty)
                    {
                        Take(consumer, buffer.Content);
                    }
                }
                catch (Exception e)
                {
                    failures.Enqueue(e);
                }

                // Whatever came of it: the reader may be waiting for the buffer.
                buffer.Cut(0);
                empty.Add(buffer);
            }
        });
    }

    private static void Take(BufferConsumer consumer, ReadOnlySpan<byte> content)
    {
        int taken = consumer.TakeLines(content);
        if (taken < content.Length)
        {
            // Only the last buffer ends without a newline.
            consumer.TakeLine(content[taken..]);
        }
    }

    private void ReadStream(Stream stream, LineBuffer current, BlockingCollection<LineBuffer> full, BlockingCollection<LineBuffer> empty)
    {
        while (failures.IsEmpty)
        {
            // A pipe gives little at a time; a buffer goes on its way when it is full, or at the end.
            int read = stream.Read(current.Free);
            current.Filled(read);
            progress.Add(read);
            if (read > 0 && current.Held < LineBuffer.FirstBytes)
            {
                continue;
            }
            int lines = read == 0 ? current.Held : current.Content.LastIndexOf((byte)'\n') + 1;
            if (lines > 0)
            {
                LineBuffer next = empty.Take();
                next.Append(current.Content[lines..]);
                current.Cut(lines);
                full.Add(current);
                current = next;
            }
            if (read == 0)
            {
                return;
            }
        }
    }

    private void Guard(Action read, BlockingCollection<LineBuffer> full)
    {
        try
        {
            read();
        }
        catch (Exception e)
        {
            failures.Enqueue(e);
        }
        finally
        {
            full.CompleteAdding();
        }
    }

    private void Run(Action<BufferConsumer> work)
    {
        Thread[] threads = [.. consumers.Select(consumer => new Thread(() =>
        {
            try
            {
                work(consumer);
            }
            catch (Exception e)
            {
                failures.Enqueue(e);
            }
        }))];
        foreach (Thread thread in threads)
        {
            thread.Start();
        }
        foreach (Thread thread in threads)
        {
            thread.Join();
        }
        ThrowFailure();
    }

    private void ThrowFailure()
    {
        if (failures.TryPeek(out Exception? failure))
        {
            throw failure is UserException or IOException ? new UserException(failure.Message) : failure;
        }
    }
}
