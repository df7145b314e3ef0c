namespace Skep.Sketches;

/// <summary>The few registers of a young HyperLogLog that are not 0: an open-addressing table that doubles as it fills.</summary>
internal sealed class SparseRegisters
{
    /// <summary>More registers than this are kept dense: the table would take half of what all registers take.</summary>
    public const int MaxCount = 1536;

    private const int FirstSlots = 32;
    private const int ValueBits = 8;

    // (register + 1) << 8 | value; 0 is free.
    private uint[] slots = new uint[FirstSlots];

    public int Count { get; private set; }

    public int SizeBytes => slots.Length * sizeof(uint);

    /// <summary>Raises a register; false where there is no more room, and nothing was changed.</summary>
    public bool TryRaise(int register, byte value)
    {
        ref uint slot = ref SlotOf(slots, register);
        if (slot != 0)
        {
            slot = Math.Max(slot, Pack(register, value));
            return true;
        }
        if (Count == MaxCount)
        {
            return false;
        }
        slot = Pack(register, value);
        Count++;
        if (Count > slots.Length * 3 / 4)
        {
            Grow();
        }
        return true;
    }

    public void CopyTo(Span<byte> registers)
    {
        foreach (uint slot in slots)
        {
            if (slot != 0)
            {
                registers[(int)(slot >> ValueBits) - 1] = (byte)slot;
            }
        }
    }

    private static uint Pack(int register, byte value) => ((uint)(register + 1) << ValueBits) | value;

    private static ref uint SlotOf(uint[] slots, int register)
    {
        // Registers are bits of a good hash already, and so need no other one.
        int mask = slots.Length - 1;
        int at = register & mask;
        while (slots[at] != 0 && slots[at] >> ValueBits != (uint)register + 1)
        {
            at = (at + 1) & mask;
        }
        return ref slots[at];
    }

    private void Grow()
    {
        uint[] larger = new uint[slots.Length * 2];
        foreach (uint slot in slots)
        {
            if (slot != 0)
            {
                SlotOf(larger, (int)(slot >> ValueBits) - 1) = slot;
            }
        }
        slots = larger;
    }
}
