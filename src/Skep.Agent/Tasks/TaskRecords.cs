using System.Buffers.Binary;
using System.Text;
using Docker.Swarmkit.V1;
using Google.Protobuf;

namespace Skep.Agent.Tasks;

/// <summary>
/// The file of a node's tasks. A header of 8 bytes (<c>SKEPTSK</c> and the format's number), then records: length of the
/// payload (4 bytes), CRC-32C of kind and payload (4), kind (1), payload. A record says that a task was given, that its
/// status changed, or that it was taken away; the last one counts. Numbers are little-endian.
/// </summary>
internal static class TaskRecords
{
    public const int HeaderSizeBytes = 8;
    public const int MaxPayloadSizeBytes = 16 * 1024 * 1024;
    private const int PrefixSizeBytes = 9;

    public enum Kind : byte
    {
        Task = 1,
        Status = 2,
        Removed = 3,
    }

    public static ReadOnlySpan<byte> Header => "SKEPTSK\x01"u8;

    public static byte[] Given(SwarmTask task) => Frame(Kind.Task, task.ToByteArray());

    public static byte[] StatusOf(string taskId, TaskStatus status) => Frame(
        Kind.Status,
        new UpdateTaskStatusRequest.Types.TaskStatusUpdate { TaskId = taskId, Status = status }.ToByteArray());

    public static byte[] Removed(string taskId) => Frame(Kind.Removed, Encoding.UTF8.GetBytes(taskId));

    /// <summary>Reads all records into <paramref name="tasks"/>; returns the length of the part that is whole.</summary>
    /// <exception cref="InvalidDataException">It is no such file, or a record before the last one is damaged.</exception>
    public static int Read(ReadOnlySpan<byte> file, string path, Dictionary<string, SwarmTask> tasks)
    {
        if (file.Length < HeaderSizeBytes)
        {
            return 0;
        }

        if (!file[..HeaderSizeBytes].SequenceEqual(Header))
        {
            throw new InvalidDataException($"{path} is no file of tasks in format {Header[^1]}; move it away to start without tasks");
        }

        var at = HeaderSizeBytes;
        while (file.Length - at >= PrefixSizeBytes)
        {
            var size = BinaryPrimitives.ReadUInt32LittleEndian(file[at..]);
            var end = at + PrefixSizeBytes + (long)size;
            if (end > file.Length)
            {
                break;
            }

            var kind = (Kind)file[at + 8];
            var payload = file[(at + PrefixSizeBytes)..(int)end];
            if (Crc32C.Of(file[(at + 8)..(int)end]) != BinaryPrimitives.ReadUInt32LittleEndian(file[(at + 4)..]))
            {
                // A write that was cut short may have left its length and no content; more after it means damage.
                if (end == file.Length || file[at..].IndexOfAnyExcept((byte)0) < 0)
                {
                    break;
                }

                throw new InvalidDataException($"{path} is damaged at offset {at}; move it away to start without tasks");
            }

            Apply(kind, payload, tasks, path, at);
            at = (int)end;
        }

        return at;
    }

    private static void Apply(Kind kind, ReadOnlySpan<byte> payload, Dictionary<string, SwarmTask> tasks, string path, int at)
    {
        switch (kind)
        {
            case Kind.Task:
                var task = SwarmTask.Parser.ParseFrom(payload);
                if (tasks.TryGetValue(task.Id, out var before))
                {
                    task.Status = before.Status;
                }

                tasks[task.Id] = task;
                break;
            case Kind.Status:
                var update = UpdateTaskStatusRequest.Types.TaskStatusUpdate.Parser.ParseFrom(payload);
                if (tasks.TryGetValue(update.TaskId, out var known))
                {
                    known.Status = update.Status;
                }

                break;
            case Kind.Removed:
                tasks.Remove(Encoding.UTF8.GetString(payload));
                break;
            default:
                throw new InvalidDataException($"{path} has a record of unknown kind {(byte)kind} at offset {at}: written by a newer version?");
        }
    }

    private static byte[] Frame(Kind kind, byte[] payload)
    {
        if (payload.Length > MaxPayloadSizeBytes)
        {
            throw new InvalidDataException($"a task of {payload.Length} bytes is larger than {MaxPayloadSizeBytes}");
        }

        var frame = new byte[PrefixSizeBytes + payload.Length];
        BinaryPrimitives.WriteInt32LittleEndian(frame, payload.Length);
        frame[8] = (byte)kind;
        payload.CopyTo(frame, PrefixSizeBytes);
        BinaryPrimitives.WriteUInt32LittleEndian(frame.AsSpan(4), Crc32C.Of(frame.AsSpan(8)));
        return frame;
    }
}
