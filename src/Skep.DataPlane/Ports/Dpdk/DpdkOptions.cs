namespace Skep.DataPlane.Ports.Dpdk;

/// <summary>How DPDK's environment (EAL) starts. It starts once in a process.</summary>
public sealed record DpdkOptions
{
    /// <summary>Memory for packet buffers and devices, in MiB (EAL's <c>-m</c>). With huge pages more is taken later where it is needed and there is more.</summary>
    public int MemoryMb { get; init; } = 256;

    /// <summary>
    /// Whether the memory lies on huge pages, kept in no file (EAL's <c>--in-memory</c>). Without (<c>--no-huge</c>) nothing has to be
    /// set up; network cards cannot be used, and everything is slower.
    /// </summary>
    public bool HugePages { get; init; } = true;

    /// <summary>Addresses of the network cards to use (EAL's <c>-a</c>), such as 0000:00:05.0; no other card is touched.</summary>
    public IReadOnlyList<string> PciDevices { get; init; } = [];

    /// <summary>Further arguments of EAL, as they are.</summary>
    public IReadOnlyList<string> ExtraArguments { get; init; } = [];
}
