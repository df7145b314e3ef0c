using System.Buffers.Binary;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Cryptography.X509Certificates;

namespace Skep.Bench.Raft;

/// <summary>One request at a time, at whichever member takes it.</summary>
internal sealed class SmallClient(string folder, int[] ports) : IAsyncDisposable
{
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(20);
    private static readonly TimeSpan Patience = TimeSpan.FromMilliseconds(700);

    private readonly X509Certificate2 _own = Certificates.Read(folder, 0);
    private SslStream? _stream;

    /// <summary>Where the last request was taken.</summary>
    public int At { get; private set; }

    /// <summary>Writes a name, or asks whether it was written; goes from member to member until one answers.</summary>
    /// <returns>Whether it was taken, or is there; false when the time was up first.</returns>
    public async Task<bool> TryAsync(ulong name, bool question, CancellationToken ct)
    {
        byte[] command = new byte[Pipe.CommandSizeBytes];
        SeenWrites.Write(command, name, question);
        while (!ct.IsCancellationRequested)
        {
            try
            {
                if (await OnceAsync(command, ct))
                {
                    return true;
                }
            }
            catch (Exception e) when (e is SocketException or IOException or OperationCanceledException or System.Security.Authentication.AuthenticationException)
            {
                // Down, or silent: the next one.
            }

            await NextAsync();
        }

        return false;
    }

    public async ValueTask DisposeAsync()
    {
        if (_stream is not null)
        {
            await _stream.DisposeAsync();
        }

        _own.Dispose();
    }

    private async Task<bool> OnceAsync(byte[] command, CancellationToken ct)
    {
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(ct);
        patience.CancelAfter(Patience);
        _stream ??= await Certificates.ClientAsync(new NetworkStream(await Loopback.ConnectAsync(ports[At], patience.Token), ownsSocket: true), folder, _own, patience.Token);
        await _stream.WriteAsync(command, patience.Token);
        byte[] answer = new byte[5];
        await _stream.ReadExactlyAsync(answer, patience.Token);
        return answer[4] == 1 && BinaryPrimitives.ReadInt32LittleEndian(answer) == 0;
    }

    private async Task NextAsync()
    {
        if (_stream is not null)
        {
            await _stream.DisposeAsync();
            _stream = null;
        }

        // A handshake costs the members' cores too, which they need to choose a leader.
        At = (At + 1) % ports.Length;
        await Task.Delay(Pause);
    }
}
