using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;
using System.Text;

namespace Swarmctl.DataPlane.Demo;

/// <summary>Clients with addresses of their own, each twice as busy as the one before it.</summary>
/// <param name="place">Their namespace.</param>
/// <param name="addresses">Theirs.</param>
/// <param name="service">Whom they ask.</param>
internal sealed class DemoClients(string place, IReadOnlyList<IPAddress> addresses, IPEndPoint service)
{
    public const int PatienceMs = 2_000;
    private const int RoundMs = 10;
    private readonly ConcurrentDictionary<string, int> byBackend = [];
    private int answered, failed, otherSource;
    private volatile bool stopping;

    public int Answered => answered;

    /// <summary>Connections that were refused, broke or took too long.</summary>
    public int Failed => failed;

    /// <summary>Answers in which a backend had seen another address than the client's own.</summary>
    public int OtherSource => otherSource;

    public IEnumerable<KeyValuePair<string, int>> ByBackend => byBackend.OrderBy(static b => b.Key, StringComparer.Ordinal);

    public Thread Start() => Namespaces.Start(place, () =>
    {
        for (int round = 1; !stopping; round++)
        {
            for (int client = 0; client < addresses.Count && !stopping; client++)
            {
                if (round % (1 << (addresses.Count - 1 - client)) == 0)
                {
                    Ask(addresses[client]);
                }
            }
            Thread.Sleep(RoundMs);
        }
    });

    public void Stop() => stopping = true;

    private void Ask(IPAddress own)
    {
        try
        {
            using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { ReceiveTimeout = PatienceMs, SendTimeout = PatienceMs };
            socket.Bind(new IPEndPoint(own, 0));
            socket.Connect(service);
            socket.Send("hello\n"u8);
            byte[] bytes = new byte[256];
            string[] words = Encoding.ASCII.GetString(bytes, 0, socket.Receive(bytes)).TrimEnd().Split(' ');
            if (words.Length != 2)
            {
                failed++;
                return;
            }
            answered++;
            byBackend.AddOrUpdate(words[0], 1, static (_, n) => n + 1);
            otherSource += words[1] == own.ToString() ? 0 : 1;
        }
        catch (SocketException)
        {
            failed++;
        }
    }
}
