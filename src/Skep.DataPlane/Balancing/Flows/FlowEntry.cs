using System.Runtime.InteropServices;
using Skep.DataPlane.Balancing.Hashing;

namespace Skep.DataPlane.Balancing.Flows;

/// <summary>How far a flow has come.</summary>
internal enum FlowState : byte
{
    /// <summary>No flow.</summary>
    Free,

    /// <summary>One packet was seen, which anybody can forge: such entries are few and go first.</summary>
    Embryonic,

    /// <summary>More than one packet of the client was seen.</summary>
    Established,

    /// <summary>Both sides said goodbye, or one broke off.</summary>
    Closing,
}

/// <summary>What is remembered of a flow: one cache line.</summary>
[StructLayout(LayoutKind.Sequential, Size = SizeBytes)]
internal struct FlowEntry
{
    public const int SizeBytes = 64;
    public FlowKey Key;
    public uint LastSeenMs;
    public uint Generation;
    public ushort Slot;
    public FlowState State;
    public FinSeen Fins;
    private ushort _clientMacHigh;
    public byte ClientPortIndex;
    private uint _clientMacLow;

    /// <summary>Where the client's packets come from on the link; answers go there.</summary>
    public ulong ClientMac
    {
        readonly get => ((ulong)_clientMacHigh << 32) | _clientMacLow;
        set => (_clientMacHigh, _clientMacLow) = ((ushort)(value >> 32), (uint)value);
    }
}

/// <summary>Who has said that it will send no more.</summary>
[Flags]
internal enum FinSeen : byte
{
    None = 0,
    Client = 1,
    Server = 2,
}
