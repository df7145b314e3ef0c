namespace Skep.Manager.Allocation;

/// <summary>Addresses of one subnet that are given out, one after the other so that a freed one is not given again at once. Pure.</summary>
internal sealed class AddressPool
{
    private readonly HashSet<UInt128> used = [];
    private readonly UInt128 lowest;
    private readonly UInt128 highest;
    private UInt128 next;

    /// <summary>A pool of all host addresses of a subnet, or of a range in it.</summary>
    public AddressPool(Subnet subnet, Subnet? range = null)
    {
        Subnet = subnet;
        Subnet within = range is { } r && subnet.Contains(r.First) && subnet.Contains(r.Last) ? r : subnet;
        // The first address names the subnet and IPv4's last is everyone's; point-to-point subnets are used whole.
        bool whole = subnet.Bits - subnet.PrefixLength < 2;
        lowest = within.First == subnet.First && !whole ? within.First + 1 : within.First;
        highest = within.Last == subnet.Last && !whole && !subnet.IsV6 ? within.Last - 1 : within.Last;
        next = lowest;
    }

    /// <summary>Where the addresses are from.</summary>
    public Subnet Subnet { get; }

    /// <summary>Takes just this address.</summary>
    /// <returns>False when it is taken or not of this subnet.</returns>
    public bool TryTake(UInt128 address)
    {
        if (!Subnet.Contains(address) || !used.Add(address))
        {
            return false;
        }
        if (address >= next && address < highest)
        {
            next = address + 1;
        }
        return true;
    }

    /// <summary>Takes a free address; null when there is none.</summary>
    public UInt128? Take()
    {
        // Among used.Count + 1 addresses one is free, if there are as many.
        for (int tried = 0; tried <= used.Count; tried++)
        {
            UInt128 address = next;
            next = address >= highest ? lowest : address + 1;
            if (address <= highest && used.Add(address))
            {
                return address;
            }
        }
        return null;
    }

    /// <summary>Frees an address.</summary>
    public void Free(UInt128 address) => used.Remove(address);
}
