namespace Skep.DataPlane.Packets;

/// <summary>Layout of ARP for IPv4 over Ethernet (RFC 826).</summary>
internal static class ArpFields
{
    public const int SizeBytes = 28;
    public const int Operation = 6;
    public const int SenderMac = 8;
    public const int SenderAddress = 14;
    public const int TargetMac = 18;
    public const int TargetAddress = 24;
    public const ushort Request = 1;
    public const ushort Reply = 2;

    /// <summary>Hardware Ethernet, protocol IPv4, lengths 6 and 4: the first six bytes.</summary>
    public const ulong EthernetIPv4 = 0x0001_0800_0604;
}
