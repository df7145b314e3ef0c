using System.Buffers;

namespace Skep.Jute.Tests;

internal static class Bytes
{
    public static byte[] Of<T>(T record) where T : IJuteRecord<T>
    {
        var output = new ArrayBufferWriter<byte>();
        JuteFrame.Put(output, record);
        return output.WrittenSpan.ToArray();
    }

    /// <summary>The first <paramref name="length"/> bytes, read as a record and written again.</summary>
    public static byte[] ReadAndWrite<T>(byte[] bytes, int length) where T : IJuteRecord<T>
    {
        var reader = new JuteReader(bytes.AsMemory(0, length));
        T record = T.Read(ref reader);
        return Of(record);
    }
}
