using System.Buffers.Binary;
using System.Net.Sockets;

namespace Skep.Agent.Executors.Docker;

/// <summary>Whether the engine sees the files this node writes, which it does in the same mount namespace.</summary>
internal static class EngineNeighbour
{
    private const int SolSocket = 1;
    private const int SoPeerCred = 17;

    /// <summary>Why it does not; null when it does.</summary>
    public static async Task<string?> WhyNotSharedAsync(string socketPath, CancellationToken cancellationToken)
    {
        try
        {
            using var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
            await socket.ConnectAsync(new UnixDomainSocketEndPoint(socketPath), cancellationToken);
            var credentials = new byte[12];
            if (socket.GetRawSocketOption(SolSocket, SoPeerCred, credentials) < sizeof(int))
            {
                return "the kernel does not say who is at the engine's socket";
            }

            var pid = BinaryPrimitives.ReadInt32LittleEndian(credentials);
            if (pid <= 0)
            {
                return "the engine is in a process namespace this node does not see";
            }

            return Namespace($"/proc/{pid}/ns/mnt") == Namespace("/proc/self/ns/mnt")
                ? null
                : $"the engine (process {pid}) is in a mount namespace of its own";
        }
        catch (SocketException e)
        {
            throw new TaskTemporaryException($"the engine at {socketPath} does not answer: {e.Message}", e);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return $"the engine's mount namespace cannot be looked at: {e.Message}";
        }
    }

    private static string? Namespace(string path) => File.ResolveLinkTarget(path, returnFinalTarget: false)?.Name;
}
