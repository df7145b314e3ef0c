using Skep.Jute;

namespace Swarmctl.Coordination.ZooKeeperFiles;

/// <summary>
/// Reads <c>log.&lt;zxid&gt;</c>. The file is longer than what was written: zeros follow. A record that is cut short ends the log as it
/// does for ZooKeeper, which had not acknowledged it; one that is whole and has another sum is damage.
/// </summary>
internal sealed class LogReader
{
    /// <summary>"ZKLG".</summary>
    public const int Magic = 0x5a4b4c47;

    private const int HeaderBytes = 16;
    private const byte EndOfRecord = (byte)'B';

    private readonly CheckedInput input;
    private bool ended;

    /// <exception cref="ZooKeeperFormatException">It is no log.</exception>
    public LogReader(Stream stream)
    {
        input = new CheckedInput(stream);
        if (input.Left(HeaderBytes) < HeaderBytes)
        {
            Torn(0);
            return;
        }
        SnapshotReader.ReadHeader(input, Magic, "log");
    }

    /// <summary>Where a record began that is cut short; null where the log ended as it should.</summary>
    public long? TornAt { get; private set; }

    /// <summary>The next transaction; null at the end.</summary>
    /// <exception cref="ZooKeeperFormatException">The log is damaged.</exception>
    public LoggedTransaction? Read()
    {
        if (ended || input.Left(0) == 0)
        {
            ended = true;
            return null;
        }
        long offset = input.Offset;
        byte[]? record = ReadRecord(offset, out long sum);
        if (record is null)
        {
            return null;
        }
        if (sum != Adler32.Of(record))
        {
            throw new ZooKeeperFormatException(offset, "the checksum is another than that of the transaction: the file is damaged");
        }
        try
        {
            return TransactionReader.Read(record);
        }
        catch (JuteFormatException e)
        {
            throw new ZooKeeperFormatException(offset, e.Message);
        }
    }

    private byte[]? ReadRecord(long offset, out long sum)
    {
        sum = 0;
        try
        {
            sum = input.ReadLong();
            int length = input.ReadInt();
            if (length == 0 && sum == 0)
            {
                ended = true;
                return null;
            }
            if (length > 0)
            {
                byte[] record = input.ReadBytes(length);
                if (input.ReadByte() == EndOfRecord)
                {
                    return record;
                }
            }
        }
        catch (ZooKeeperFormatException)
        {
            // It ends before its length.
        }
        Torn(offset);
        return null;
    }

    private void Torn(long offset)
    {
        ended = true;
        TornAt = offset;
    }
}
