using System.Net;
using System.Net.Sockets;
using System.Text;

namespace Swarmctl.DataPlane.Demo;

/// <summary>A server in a namespace of its own that tells each client who serves it and whom it sees.</summary>
internal sealed class DemoBackend(string name, string place) : IDisposable
{
    public const int Port = 8080;
    private Socket? listener;

    public void Start()
    {
        using var ready = new ManualResetEventSlim();
        Namespaces.Start(place, () =>
        {
            var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
            socket.SetSocketOption(SocketOptionLevel.Socket, SocketOptionName.ReuseAddress, true);
            socket.Bind(new IPEndPoint(IPAddress.Any, Port));
            socket.Listen(256);
            listener = socket;
            ready.Set();
            Serve(socket);
        });
        ready.Wait();
    }

    public void Stop() => Interlocked.Exchange(ref listener, null)?.Dispose();

    public void Dispose() => Stop();

    private void Serve(Socket socket)
    {
        byte[] bytes = new byte[256];
        while (true)
        {
            try
            {
                using Socket client = socket.Accept();
                client.ReceiveTimeout = DemoClients.PatienceMs;
                if (client.Receive(bytes) > 0)
                {
                    client.Send(Encoding.ASCII.GetBytes($"{name} {((IPEndPoint)client.RemoteEndPoint!).Address}\n"));
                }
            }
            catch (Exception e) when (e is SocketException or ObjectDisposedException)
            {
                if (listener != socket)
                {
                    return;
                }
            }
        }
    }
}
