namespace Skep.Sketches;

/// <summary>
/// A HyperLogLog as Redis keeps it in a string: "HYLL", encoding (0 dense, 1 sparse), 3 bytes unused, the cached count (8 bytes, the top
/// bit set where it must be reckoned anew), then the registers. Dense: 6 bits each, from the lowest bit up. Sparse: runs, as
/// ZERO 00llllll (l + 1 registers of 0), XZERO 01llllll llllllll (the same, longer), VAL 1vvvvvll (l + 1 registers of v + 1).
/// </summary>
internal static class RedisString
{
    private const int HeaderBytes = 16;
    private const int DenseBytes = HeaderBytes + (RegisterEstimator.Registers * 6 / 8);
    private const byte Dense = 0;
    private const byte Sparse = 1;

    // What Redis keeps sparse by default (hll-sparse-max-bytes), and the largest value that VAL can hold.
    private const int MaxSparseBytes = 3000;
    private const int MaxSparseValue = 32;

    private static ReadOnlySpan<byte> Magic => "HYLL"u8;

    public static bool Is(ReadOnlySpan<byte> bytes) => bytes.StartsWith(Magic);

    public static byte[] Write(ReadOnlySpan<byte> registers)
    {
        Span<byte> sparse = stackalloc byte[MaxSparseBytes];
        if (WriteSparse(registers, sparse[HeaderBytes..], out int written))
        {
            WriteHeader(sparse, Sparse);
            return sparse[..(HeaderBytes + written)].ToArray();
        }
        byte[] dense = new byte[DenseBytes];
        WriteHeader(dense, Dense);
        Span<byte> at = dense.AsSpan(HeaderBytes);
        for (int i = 0; i < registers.Length; i += 4, at = at[3..])
        {
            int four = registers[i] | (registers[i + 1] << 6) | (registers[i + 2] << 12) | (registers[i + 3] << 18);
            at[0] = (byte)four;
            at[1] = (byte)(four >> 8);
            at[2] = (byte)(four >> 16);
        }
        return dense;
    }

    /// <summary>Reads every register; what is not exactly all of them, each possible, is refused. The cached count is not believed.</summary>
    public static void Read(ReadOnlySpan<byte> bytes, Span<byte> registers)
    {
        if (bytes.Length < HeaderBytes || !Is(bytes))
        {
            throw new SketchFormatException("not a HyperLogLog of Redis: it does not begin with \"HYLL\" and a whole header");
        }
        ReadOnlySpan<byte> body = bytes[HeaderBytes..];
        switch (bytes[4])
        {
            case Dense when bytes.Length == DenseBytes:
                ReadDense(body, registers);
                break;
            case Dense:
                throw new SketchFormatException($"a dense HyperLogLog of Redis has {DenseBytes} bytes, this one {bytes.Length}");
            case Sparse:
                ReadSparse(body, registers);
                break;
            default:
                throw new SketchFormatException($"encoding {bytes[4]} does not exist: Redis knows 0 (dense) and 1 (sparse)");
        }
    }

    private static void WriteHeader(Span<byte> bytes, byte encoding)
    {
        Magic.CopyTo(bytes);
        bytes[4] = encoding;
        bytes[5..HeaderBytes].Clear();
        bytes[HeaderBytes - 1] = 0x80;
    }

    private static bool WriteSparse(ReadOnlySpan<byte> registers, Span<byte> to, out int written)
    {
        written = 0;
        for (int i = 0; i < registers.Length;)
        {
            byte value = registers[i];
            int run = registers[i..].IndexOfAnyExcept(value);
            run = run < 0 ? registers.Length - i : run;
            run = Math.Min(run, value == 0 ? RegisterEstimator.Registers : 4);
            if (value > MaxSparseValue || written + 2 > to.Length)
            {
                return false;
            }
            if (value > 0)
            {
                to[written++] = (byte)(0x80 | ((value - 1) << 2) | (run - 1));
            }
            else if (run <= 64)
            {
                to[written++] = (byte)(run - 1);
            }
            else
            {
                to[written++] = (byte)(0x40 | ((run - 1) >> 8));
                to[written++] = (byte)(run - 1);
            }
            i += run;
        }
        return true;
    }

    private static void ReadDense(ReadOnlySpan<byte> body, Span<byte> registers)
    {
        for (int i = 0; i < registers.Length; i += 4, body = body[3..])
        {
            int four = body[0] | (body[1] << 8) | (body[2] << 16);
            for (int j = 0; j < 4; j++)
            {
                int value = (four >> (6 * j)) & 63;
                registers[i + j] = value <= RegisterEstimator.MaxValue
                    ? (byte)value
                    : throw new SketchFormatException($"register {i + j} has the value {value}; {RegisterEstimator.MaxValue} is the largest that a hash can give");
            }
        }
    }

    private static void ReadSparse(ReadOnlySpan<byte> body, Span<byte> registers)
    {
        int filled = 0;
        for (int i = 0; i < body.Length; i++)
        {
            byte code = body[i];
            int run;
            byte value = 0;
            if (code >= 0x80)
            {
                value = (byte)(((code >> 2) & 31) + 1);
                run = (code & 3) + 1;
            }
            else if (code < 0x40)
            {
                run = code + 1;
            }
            else if (++i < body.Length)
            {
                run = (((code & 63) << 8) | body[i]) + 1;
            }
            else
            {
                throw new SketchFormatException("the last run of the sparse registers is cut in half");
            }
            if (run > registers.Length - filled)
            {
                throw new SketchFormatException($"the sparse runs make more than {registers.Length} registers");
            }
            registers.Slice(filled, run).Fill(value);
            filled += run;
        }
        if (filled != registers.Length)
        {
            throw new SketchFormatException($"the sparse runs make {filled} registers instead of {registers.Length}");
        }
    }
}
