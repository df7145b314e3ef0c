using System.Buffers.Binary;
using System.Globalization;
using System.IO.Pipelines;
using System.Text;
using Docker.Swarmkit.V1;
using Google.Protobuf;
using Google.Protobuf.WellKnownTypes;

namespace Skep.Agent.Executors.Docker;

/// <summary>
/// A container's log. Without a terminal the engine sends frames (stream, 3 zero bytes, length, line), with one bare lines;
/// either way each line begins with the time it was written.
/// </summary>
internal sealed class ContainerLog(EngineClient engine, string container, bool hasTerminal)
{
    private const int FrameHeaderSizeBytes = 8;
    private const int MaxLineSizeBytes = 1024 * 1024;

    public async Task ReadAsync(
        LogSubscriptionOptions options, Func<LogMessage, CancellationToken, ValueTask> publish, CancellationToken cancellationToken)
    {
        using var answer = await engine.StreamAsync(PathFor(options), cancellationToken);
        var reader = PipeReader.Create(await answer.Content.ReadAsStreamAsync(cancellationToken));

        // A tail above zero counts from the beginning, which the engine does not know.
        var skip = Math.Max(0, options.Tail);
        while (await NextAsync(reader, cancellationToken) is { } message)
        {
            if (skip > 0)
            {
                skip--;
                continue;
            }

            await publish(message, cancellationToken);
        }
    }

    private string PathFor(LogSubscriptionOptions options)
    {
        var all = options.Streams.Count == 0;
        var path = new StringBuilder($"/containers/{Uri.EscapeDataString(container)}/logs?timestamps=1")
            .Append(all || options.Streams.Contains(LogStream.Stdout) ? "&stdout=1" : "")
            .Append(all || options.Streams.Contains(LogStream.Stderr) ? "&stderr=1" : "")
            .Append(options.Follow ? "&follow=1" : "");
        if (options.Tail < 0)
        {
            path.Append(CultureInfo.InvariantCulture, $"&tail={-options.Tail - 1}");
        }

        if (options.Since is { } since)
        {
            path.Append(CultureInfo.InvariantCulture, $"&since={since.Seconds}.{since.Nanos:D9}");
        }

        return path.ToString();
    }

    private async Task<LogMessage?> NextAsync(PipeReader reader, CancellationToken cancellationToken)
    {
        if (hasTerminal)
        {
            return await LineAsync(reader, cancellationToken) is { } line ? Message(LogStream.Stdout, line) : null;
        }

        var header = await reader.ReadAtLeastAsync(FrameHeaderSizeBytes, cancellationToken);
        if (header.Buffer.Length < FrameHeaderSizeBytes)
        {
            return null;
        }

        var (stream, size) = Header(header.Buffer.Slice(0, FrameHeaderSizeBytes));
        reader.AdvanceTo(header.Buffer.GetPosition(FrameHeaderSizeBytes));
        var frame = await reader.ReadAtLeastAsync(size, cancellationToken);
        if (frame.Buffer.Length < size)
        {
            return null;
        }

        var content = new byte[size];
        System.Buffers.BuffersExtensions.CopyTo(frame.Buffer.Slice(0, size), content);
        reader.AdvanceTo(frame.Buffer.GetPosition(size));
        return Message(stream, content);
    }

    private static (LogStream Stream, int SizeBytes) Header(System.Buffers.ReadOnlySequence<byte> bytes)
    {
        Span<byte> header = stackalloc byte[FrameHeaderSizeBytes];
        System.Buffers.BuffersExtensions.CopyTo(bytes, header);
        var size = BinaryPrimitives.ReadUInt32BigEndian(header[4..]);
        if (header[0] > 3 || size > MaxLineSizeBytes)
        {
            throw new InvalidDataException($"the engine's log has a frame of stream {header[0]} and {size} bytes, expected streams 0 to 3 and at most {MaxLineSizeBytes} bytes");
        }

        return (header[0] == 2 ? LogStream.Stderr : LogStream.Stdout, (int)size);
    }

    private static async Task<byte[]?> LineAsync(PipeReader reader, CancellationToken cancellationToken)
    {
        while (true)
        {
            var read = await reader.ReadAsync(cancellationToken);
            var end = System.Buffers.BuffersExtensions.PositionOf(read.Buffer, (byte)'\n');
            if (end is { } newline)
            {
                var line = System.Buffers.BuffersExtensions.ToArray(read.Buffer.Slice(0, read.Buffer.GetPosition(1, newline)));
                reader.AdvanceTo(read.Buffer.GetPosition(1, newline));
                return line;
            }

            if (read.IsCompleted || read.Buffer.Length > MaxLineSizeBytes)
            {
                var rest = System.Buffers.BuffersExtensions.ToArray(read.Buffer);
                reader.AdvanceTo(read.Buffer.End);
                return rest.Length > 0 ? rest : null;
            }

            reader.AdvanceTo(read.Buffer.Start, read.Buffer.End);
        }
    }

    private static LogMessage Message(LogStream stream, byte[] line)
    {
        var space = line.AsSpan().IndexOf((byte)' ');
        var message = new LogMessage { Stream = stream };
        if (space > 0 && Time(Encoding.ASCII.GetString(line, 0, space)) is { } time)
        {
            message.Timestamp = time;
            message.Data = ByteString.CopyFrom(line.AsSpan(space + 1));
        }
        else
        {
            message.Data = ByteString.CopyFrom(line);
        }

        return message;
    }

    // To the nanosecond, which .NET's own times do not keep.
    private static Timestamp? Time(string text)
    {
        if (!DateTimeOffset.TryParse(text, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var time))
        {
            return null;
        }

        var timestamp = Timestamp.FromDateTimeOffset(time);
        var dot = text.IndexOf('.', StringComparison.Ordinal);
        if (dot > 0)
        {
            var digits = new string([.. text[(dot + 1)..].TakeWhile(char.IsAsciiDigit).Take(9)]).PadRight(9, '0');
            timestamp.Nanos = int.Parse(digits, CultureInfo.InvariantCulture);
        }

        return timestamp;
    }
}
