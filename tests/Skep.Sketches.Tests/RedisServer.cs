using System.Diagnostics;
using System.Globalization;
using System.Net.Sockets;
using System.Text;

namespace Skep.Sketches.Tests;

/// <summary>A real redis-server on a unix socket of its own, and the little of its protocol that is needed to ask it.</summary>
public sealed class RedisServer : IDisposable
{
    private static readonly TimeSpan StartTimeout = TimeSpan.FromSeconds(30);

    private readonly string folder = Directory.CreateTempSubdirectory("skep-redis-").FullName;
    private readonly Process? process;
    private readonly Stream? stream;

    public RedisServer()
    {
        string? program = (Environment.GetEnvironmentVariable("PATH") ?? "").Split(':').Append("/usr/bin")
            .Select(static p => Path.Combine(p, "redis-server")).FirstOrDefault(File.Exists);
        if (program is null)
        {
            return;
        }
        string path = Path.Combine(folder, "redis.sock");
        process = Process.Start(new ProcessStartInfo(program, ["--port", "0", "--unixsocket", path, "--save", "", "--dir", folder])
        {
            RedirectStandardOutput = true,
        })!;

        // It says so when it listens; what it says later is let go.
        var ready = new TaskCompletionSource();
        process.OutputDataReceived += (_, line) =>
        {
            if (line.Data is null || line.Data.Contains("ready to accept connections", StringComparison.OrdinalIgnoreCase))
            {
                ready.TrySetResult();
            }
        };
        process.BeginOutputReadLine();
        if (!ready.Task.Wait(StartTimeout))
        {
            throw new TimeoutException($"redis-server did not listen on its socket within {StartTimeout}");
        }
        var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        socket.Connect(new UnixDomainSocketEndPoint(path));
        stream = new BufferedStream(new NetworkStream(socket, ownsSocket: true), 64 * 1024);
    }

    public void SkipIfMissing() => Assert.SkipWhen(stream is null, "redis-server is not installed");

    public long AskNumber(params IEnumerable<object> words) => long.Parse(Encoding.ASCII.GetString(Ask(words)), CultureInfo.InvariantCulture);

    /// <summary>Sends one command; words are bytes or texts. The answer's bytes, of whatever kind it is.</summary>
    public byte[] Ask(params IEnumerable<object> words)
    {
        byte[][] parts = [.. words.Select(static w => w as byte[] ?? Encoding.UTF8.GetBytes(w.ToString()!))];
        Write($"*{parts.Length}\r\n");
        foreach (byte[] part in parts)
        {
            Write($"${part.Length}\r\n");
            stream!.Write(part);
            Write("\r\n");
        }
        stream!.Flush();
        string head = ReadLine();
        if (head[0] == '-')
        {
            throw new InvalidOperationException($"redis-server answered {head}");
        }
        if (head[0] != '$')
        {
            return Encoding.ASCII.GetBytes(head[1..]);
        }
        byte[] answer = new byte[int.Parse(head[1..], CultureInfo.InvariantCulture)];
        stream.ReadExactly(answer);
        ReadLine();
        return answer;
    }

    public void Dispose()
    {
        stream?.Dispose();
        process?.Kill();
        process?.WaitForExit();
        process?.Dispose();
        Directory.Delete(folder, recursive: true);
    }

    private void Write(string text) => stream!.Write(Encoding.ASCII.GetBytes(text));

    private string ReadLine()
    {
        var line = new StringBuilder();
        for (int b = stream!.ReadByte(); b != '\n'; b = stream.ReadByte())
        {
            line.Append(b >= 0 ? (char)b : throw new EndOfStreamException("redis-server closed the connection"));
        }
        return line.ToString().TrimEnd('\r');
    }
}
