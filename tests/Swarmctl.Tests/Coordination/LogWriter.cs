using System.Buffers;
using Skep.Jute;
using Swarmctl.Coordination.ZooKeeperFiles;

namespace Swarmctl.Tests.Coordination;

/// <summary>Makes logs as ZooKeeper writes them.</summary>
internal sealed class LogWriter
{
    private static readonly Acl[] Open = [new Acl(31, new AclId("world", "anyone"))];
    private readonly ArrayBufferWriter<byte> file = new();

    public LogWriter()
    {
        var jute = new JuteWriter(file);
        jute.WriteInt(LogReader.Magic);
        jute.WriteInt(2);
        jute.WriteLong(0);
    }

    public delegate void Body(JuteWriter writer);

    /// <summary>The file, with as many zeros behind as ZooKeeper may have reserved.</summary>
    public byte[] ToArray(int zeros = 0) => [.. file.WrittenSpan, .. new byte[zeros]];

    public LogWriter Add(long zxid, OpCode type, Body body, long session = 7, bool digest = true)
    {
        var record = new ArrayBufferWriter<byte>();
        var jute = new JuteWriter(record);
        jute.WriteLong(session);
        jute.WriteInt(1);
        jute.WriteLong(zxid);
        jute.WriteLong(1_000_000 + zxid);
        jute.WriteInt((int)type);
        body(jute);
        if (digest)
        {
            jute.WriteInt(2);
            jute.WriteLong(99);
        }
        var output = new JuteWriter(file);
        output.WriteLong(Adler32.Of(record.WrittenSpan));
        output.WriteBuffer(record.WrittenMemory.ToArray());
        file.Write("B"u8);
        return this;
    }

    public LogWriter Create(long zxid, string path, string data, int parentCreations, bool ephemeral = false) =>
        Add(zxid, OpCode.Create, w => WriteCreate(w, path, data, parentCreations, ephemeral));

    public static void WriteCreate(JuteWriter writer, string path, string data, int parentCreations, bool ephemeral = false)
    {
        writer.WriteString(path);
        writer.WriteBuffer(System.Text.Encoding.UTF8.GetBytes(data));
        writer.WriteRecords(Open);
        writer.WriteBool(ephemeral);
        writer.WriteInt(parentCreations);
    }
}
