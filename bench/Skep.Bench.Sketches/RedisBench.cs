using System.Diagnostics;
using System.Globalization;
using System.Net.Sockets;
using System.Text;
using Skep.Sketches;

namespace Skep.Bench.Sketches;

/// <summary>The same keys counted by redis-server and by us; then by us under other seeds, for the spread of the error.</summary>
internal static class RedisBench
{
    private const int KeysACommand = 2_000;

    public static void Run(long distinct, int seeds)
    {
        if (Machine.Find("redis-server") is not { } program)
        {
            Console.WriteLine("beside Redis: left out, there is no redis-server here (apt-get install redis-server)");
            return;
        }
        string folder = Directory.CreateTempSubdirectory("skep-redis-").FullName;
        string path = Path.Combine(folder, "redis.sock");
        using Process server = Process.Start(new ProcessStartInfo(program, ["--port", "0", "--unixsocket", path, "--save", "", "--dir", folder]) { RedirectStandardOutput = true })!;
        try
        {
            while (server.StandardOutput.ReadLine()?.Contains("ready to accept", StringComparison.OrdinalIgnoreCase) == false)
            {
                // Its greeting; what little it says later stays in the pipe.
            }
            using var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
            socket.Connect(new UnixDomainSocketEndPoint(path));
            using var stream = new BufferedStream(new NetworkStream(socket), 1 << 16);
            Compare(stream, distinct);
        }
        finally
        {
            server.Kill();
            server.WaitForExit();
            Directory.Delete(folder, recursive: true);
        }
        Spread(distinct, seeds);
    }

    private static void Compare(Stream redis, long distinct)
    {
        var ours = new HyperLogLog();
        byte[] key = new byte[8];
        for (long i = 0; i < distinct; i += KeysACommand)
        {
            int keys = (int)Math.Min(KeysACommand, distinct - i);
            redis.Write(Encoding.ASCII.GetBytes($"*{keys + 2}\r\n$5\r\nPFADD\r\n$1\r\nk\r\n"));
            for (int j = 0; j < keys; j++)
            {
                BitConverter.TryWriteBytes(key, i + j);
                ours.Add(key);
                redis.Write("$8\r\n"u8);
                redis.Write(key);
                redis.Write("\r\n"u8);
            }
            redis.Flush();
            ReadNumber(redis);
        }
        redis.Write("*2\r\n$7\r\nPFCOUNT\r\n$1\r\nk\r\n"u8);
        redis.Flush();
        long theirs = ReadNumber(redis);
        byte[] bytes = ours.ToRedisBytes();
        redis.Write(Encoding.ASCII.GetBytes($"*3\r\n$3\r\nSET\r\n$1\r\no\r\n${bytes.Length}\r\n"));
        redis.Write(bytes);
        redis.Write("\r\n*2\r\n$7\r\nPFCOUNT\r\n$1\r\no\r\n"u8);
        redis.Flush();
        ReadLine(redis);
        long ofOurs = ReadNumber(redis);
        long count = ours.Count();
        Console.WriteLine($"{distinct:N0} distinct: Redis counts {theirs:N0} ({(theirs / (double)distinct) - 1:+0.000 %;-0.000 %}), we {count:N0}, Redis our bytes {ofOurs:N0}: {(count == theirs && count == ofOurs ? "equal" : "NOT EQUAL")} (wanted: equal)");
    }

    private static void Spread(long distinct, int seeds)
    {
        var errors = new List<double>();
        for (int s = 0; s < seeds; s++)
        {
            byte[] bytes = new byte[SketchSeed.SizeBytes];
            bytes[0] = (byte)s;
            var sketch = new HyperLogLog(SketchSeed.FromBytes(bytes));
            for (long i = 0; i < distinct; i++)
            {
                sketch.Add(i);
            }
            errors.Add((sketch.Count() / (double)distinct) - 1);
        }
        double root = Math.Sqrt(errors.Average(static e => e * e));
        Console.WriteLine($"{distinct:N0} distinct, keyed, {seeds} seeds: mean error {errors.Average():+0.000 %;-0.000 %}, root mean square {root:0.000 %} (theory: {HyperLogLog.RelativeError:0.000 %})");
    }

    private static long ReadNumber(Stream redis) => long.Parse(ReadLine(redis).AsSpan(1), CultureInfo.InvariantCulture);

    private static string ReadLine(Stream redis)
    {
        var line = new StringBuilder();
        for (int b = redis.ReadByte(); b is not '\n' and >= 0; b = redis.ReadByte())
        {
            line.Append((char)b);
        }
        return line.ToString().TrimEnd('\r');
    }
}
