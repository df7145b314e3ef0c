using Skep.DataPlane.Balancing.Configuration;

namespace Skep.DataPlane.Balancing.Pipeline;

/// <summary>Why packets were dropped.</summary>
public enum DropReason
{
    /// <summary>Its headers lie or are cut off.</summary>
    Malformed,

    /// <summary>Its IPv4 header, or an ICMP message to be translated, has a wrong checksum.</summary>
    BadChecksum,

    /// <summary>Its source is on the list of those that are denied.</summary>
    Denied,

    /// <summary>It is addressed to another station of the link.</summary>
    OtherStation,

    /// <summary>The service has no backend that takes flows.</summary>
    NoBackend,

    /// <summary>The next hop has not said its Ethernet address yet.</summary>
    NextHopUnknown,

    /// <summary>An answer to a flow that is not remembered, and no gateway leads to the client.</summary>
    NoRoute,

    /// <summary>It has been through too many routers.</summary>
    TtlExpired,

    /// <summary>It is longer than the MTU of the port that it should leave by; its sender is told so where it forbade fragments.</summary>
    TooBig,

    /// <summary>A fragment whose first part was not seen, or not of late.</summary>
    FragmentUnknown,

    /// <summary>It is the kernel's and there is no way to the kernel.</summary>
    NoKernel,

    /// <summary>The port that it should leave by took no more.</summary>
    PortFull,

    /// <summary>The worker that knows its flow did not take those handed over before.</summary>
    PeerFull,
}

/// <summary>Counts of one worker: written by it alone, read by anyone.</summary>
public sealed class BalancerCounters
{
    internal readonly long[] Drops = new long[Enum.GetValues<DropReason>().Length];
    internal readonly long[] BackendPackets = new long[BalancerTable.MaxBackends];
    internal readonly long[] BackendBytes = new long[BalancerTable.MaxBackends];

    /// <summary>Packets of clients sent to backends.</summary>
    public long Forwarded { get; internal set; }

    /// <summary>Answers of backends sent to clients.</summary>
    public long Returned { get; internal set; }

    /// <summary>ICMP errors sent to the side that they concern.</summary>
    public long IcmpErrors { get; internal set; }

    /// <summary>ARP, neighbour discovery and echo requests answered here.</summary>
    public long Answered { get; internal set; }

    /// <summary>Packets left to the kernel.</summary>
    public long ToKernel { get; internal set; }

    /// <summary>Packets handed to the worker that knows their flow, which counts them further.</summary>
    public long HandedOver { get; internal set; }

    /// <summary>Packets that other workers handed over.</summary>
    public long TakenOver { get; internal set; }

    /// <summary>Packets that were dropped for a reason.</summary>
    public long Dropped(DropReason reason) => Volatile.Read(ref Drops[(int)reason]);
}
