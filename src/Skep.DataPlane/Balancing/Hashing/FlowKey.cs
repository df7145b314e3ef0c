using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Skep.DataPlane.Packets;

namespace Skep.DataPlane.Balancing.Hashing;

/// <summary>What names a connection: client and service, as the client sees them.</summary>
[StructLayout(LayoutKind.Sequential)]
internal readonly struct FlowKey(IpAddr client, IpAddr service, ushort clientPort, ushort servicePort, byte protocol)
{
    public readonly IpAddr Client = client;
    public readonly IpAddr Service = service;
    public readonly ushort ClientPort = clientPort;
    public readonly ushort ServicePort = servicePort;
    public readonly byte Protocol = protocol;

    /// <summary>64 well-mixed bits; the same on every machine with the same seed, so that they all choose the same backend.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public ulong Hash(ulong seed)
    {
        // Rounds of multiply and shift, each over one more part of the key; the two upper halves, equal for all of IPv4, go beside.
        ulong ports = ((ulong)ClientPort << 32) | ((ulong)ServicePort << 16) | Protocol;
        ulong upper = ((Client.High ^ seed) * 0x8CB92BA72F3D8DD7) ^ BitOperations.RotateLeft((Service.High + seed) * 0xAEF17502108EF2D9, 32);
        ulong h = (Client.Low ^ seed ^ 0x9E3779B97F4A7C15) * 0xD1B54A32D192ED03;
        h = (h ^ (h >> 32) ^ Service.Low ^ upper) * 0xBF58476D1CE4E5B9;
        h = (h ^ (h >> 29) ^ ports) * 0x94D049BB133111EB;
        h = (h ^ (h >> 32)) * 0xE7037ED1A0B428DB;
        return h ^ (h >> 30);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public bool Equals(in FlowKey other) =>
        ((Client.Low ^ other.Client.Low) | (Client.High ^ other.Client.High)
         | (Service.Low ^ other.Service.Low) | (Service.High ^ other.Service.High)) == 0
        && ClientPort == other.ClientPort && ServicePort == other.ServicePort && Protocol == other.Protocol;
}

/// <summary>Mixing by a full multiplication, as wyhash does it.</summary>
internal static class Mix
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static ulong Fold(ulong a, ulong b)
    {
        ulong high = Math.BigMul(a, b, out ulong low);
        return high ^ low;
    }

    /// <summary>A bijection of 64 bits (the finaliser of splitmix64).</summary>
    public static ulong Finish(ulong x)
    {
        x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9;
        x = (x ^ (x >> 27)) * 0x94D049BB133111EB;
        return x ^ (x >> 31);
    }
}
