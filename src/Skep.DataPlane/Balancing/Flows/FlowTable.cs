using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;
using Skep.DataPlane.Balancing.Configuration;
using Skep.DataPlane.Balancing.Hashing;
using Skep.DataPlane.Native;
using Skep.DataPlane.Packets;

namespace Skep.DataPlane.Balancing.Flows;

/// <summary>
/// The flows of one worker in memory that never grows: buckets of sixteen, each with sixteen tags of the hash that are compared at
/// once. A flow that would be one embryonic flow too many takes the place of its bucket's oldest one: a flood pushes out its own, and
/// who answers is remembered. Where there is none, or the bucket is full of living flows, it is not remembered: the caller serves it by
/// hash alone, which is right as long as the backends stay the same.
/// </summary>
internal sealed unsafe class FlowTable : IDisposable
{
    private const int Ways = 16;
    private readonly FlowLimits _limits;
    private readonly int _bucketMask;
    private readonly int _maxEmbryonic;
    private readonly long[] _perBackend = new long[BalancerTable.MaxBackends];
    private FlowEntry* _entries;
    private ushort* _tags;
    private int _sweepAt;

    public FlowTable(FlowLimits limits)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(limits.Capacity, Ways);
        _limits = limits;
        int capacity = (int)BitOperations.RoundUpToPowerOf2((uint)limits.Capacity);
        _bucketMask = capacity / Ways - 1;
        _maxEmbryonic = limits.MaxEmbryonic ?? capacity / 4;
        _entries = (FlowEntry*)LargeMemory.Allocate((nuint)capacity * FlowEntry.SizeBytes);
        _tags = (ushort*)LargeMemory.Allocate((nuint)capacity * sizeof(ushort));
    }

    public int Buckets => _bucketMask + 1;

    public int Count { get; private set; }

    public int Embryonic { get; private set; }

    /// <summary>New flows that were not remembered because the bucket was full.</summary>
    public long RefusedFull { get; private set; }

    /// <summary>New flows that were not remembered because too many of one packet were, and none of them in the bucket.</summary>
    public long RefusedEmbryonic { get; private set; }

    /// <summary>Flows that a backend's slot holds.</summary>
    public long CountOf(ushort slot) => Volatile.Read(ref _perBackend[slot]);

    /// <summary>Asks for a bucket's tags before they are needed.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void PrefetchTags(ulong hash)
    {
        if (Sse.IsSupported)
        {
            Sse.Prefetch0(_tags + (nint)Bucket(hash) * Ways);
        }
    }

    /// <summary>Asks for the flow's entry before it is needed; the tags must be near by now.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void PrefetchEntry(ulong hash)
    {
        nint first = (nint)Bucket(hash) * Ways;
        uint matches = Matches(first, Tag(hash));
        if (matches != 0 && Sse.IsSupported)
        {
            Sse.Prefetch0(_entries + first + BitOperations.TrailingZeroCount(matches));
        }
    }

    /// <summary>Finds a living flow; a null reference where there is none.</summary>
    public ref FlowEntry Find(scoped in FlowKey key, ulong hash, uint nowMs)
    {
        nint first = (nint)Bucket(hash) * Ways;
        for (uint matches = Matches(first, Tag(hash)); matches != 0; matches &= matches - 1)
        {
            nint at = first + BitOperations.TrailingZeroCount(matches);
            if (_entries[at].Key.Equals(key))
            {
                if (!IsExpired(in _entries[at], nowMs))
                {
                    return ref _entries[at];
                }
                Remove(at);
                break;
            }
        }
        return ref Unsafe.NullRef<FlowEntry>();
    }

    /// <summary>
    /// Whether a flow seems to be here, as any other worker may ask at any time without a lock. What is read while it changes can only make
    /// the answer wrong, which costs the asker one packet by its hash or a way for nothing.
    /// </summary>
    public bool SeemsToHold(scoped in FlowKey key, ulong hash)
    {
        nint first = (nint)Bucket(hash) * Ways;
        for (uint matches = Matches(first, Tag(hash)); matches != 0; matches &= matches - 1)
        {
            if (_entries[first + BitOperations.TrailingZeroCount(matches)].Key.Equals(key))
            {
                return true;
            }
        }
        return false;
    }

    /// <summary>Remembers a new flow, which must not be there; a null reference where it cannot be.</summary>
    public ref FlowEntry Insert(scoped in FlowKey key, ulong hash, Backend backend, uint nowMs)
    {
        nint first = (nint)Bucket(hash) * Ways;
        bool isFlood = Embryonic >= _maxEmbryonic;
        uint free = isFlood ? 0 : Matches(first, 0);
        nint at = free != 0 ? first + BitOperations.TrailingZeroCount(free) : MakeRoom(first, nowMs, evenExpired: !isFlood);
        if (at < 0)
        {
            RefusedEmbryonic += isFlood ? 1 : 0;
            RefusedFull += isFlood ? 0 : 1;
            return ref Unsafe.NullRef<FlowEntry>();
        }
        ref FlowEntry entry = ref _entries[at];
        entry = default;
        entry.Key = key;
        entry.State = FlowState.Embryonic;
        entry.LastSeenMs = nowMs;
        entry.Slot = backend.Slot;
        entry.Generation = backend.Generation;
        _tags[at] = Tag(hash);
        Count++;
        Embryonic++;
        _perBackend[backend.Slot]++;
        return ref entry;
    }

    /// <summary>Gives a flow to another backend.</summary>
    public void Move(ref FlowEntry entry, Backend to)
    {
        _perBackend[entry.Slot]--;
        _perBackend[to.Slot]++;
        entry.Slot = to.Slot;
        entry.Generation = to.Generation;
    }

    public void SetState(ref FlowEntry entry, FlowState state)
    {
        Embryonic += (state == FlowState.Embryonic ? 1 : 0) - (entry.State == FlowState.Embryonic ? 1 : 0);
        entry.State = state;
    }

    /// <summary>Forgets what has expired in the next buckets, so that counts are right without traffic.</summary>
    public void Sweep(int buckets, uint nowMs)
    {
        for (; buckets > 0; buckets--, _sweepAt++)
        {
            nint first = (nint)(_sweepAt & _bucketMask) * Ways;
            for (uint used = ~Matches(first, 0) & 0xFFFF; used != 0; used &= used - 1)
            {
                nint at = first + BitOperations.TrailingZeroCount(used);
                if (IsExpired(in _entries[at], nowMs))
                {
                    Remove(at);
                }
            }
        }
    }

    // Expired flows go first, then the oldest of which only one packet was seen; living flows stay. In the place of an expired one of
    // more packets there would be one embryonic flow more.
    private nint MakeRoom(nint first, uint nowMs, bool evenExpired)
    {
        nint oldest = -1;
        uint oldestAge = 0;
        for (nint at = first; at < first + Ways; at++)
        {
            ref FlowEntry entry = ref _entries[at];
            if (evenExpired && IsExpired(in entry, nowMs))
            {
                Remove(at);
                return at;
            }
            uint age = nowMs - entry.LastSeenMs;
            if (entry.State == FlowState.Embryonic && (oldest < 0 || age > oldestAge))
            {
                (oldest, oldestAge) = (at, age);
            }
        }
        if (oldest >= 0)
        {
            Remove(oldest);
        }
        return oldest;
    }

    private void Remove(nint at)
    {
        ref FlowEntry entry = ref _entries[at];
        Count--;
        Embryonic -= entry.State == FlowState.Embryonic ? 1 : 0;
        _perBackend[entry.Slot]--;
        entry.State = FlowState.Free;
        _tags[at] = 0;
    }

    private bool IsExpired(in FlowEntry entry, uint nowMs) => nowMs - entry.LastSeenMs >= entry.State switch
    {
        FlowState.Embryonic => _limits.EmbryonicMs,
        FlowState.Closing => _limits.ClosingMs,
        _ => entry.Key.Protocol == IpProtocol.Tcp ? _limits.TcpMs : _limits.UdpMs,
    };

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private uint Matches(nint first, ushort tag) =>
        Vector256.Equals(Vector256.LoadAligned(_tags + first), Vector256.Create(tag)).ExtractMostSignificantBits();

    private int Bucket(ulong hash) => (int)hash & _bucketMask;

    // 0 means free. The bits are none of those that choose the bucket.
    private static ushort Tag(ulong hash) => (ushort)(hash >> 40) is var tag and not 0 ? tag : (ushort)1;

    public void Dispose()
    {
        NativeMemory.AlignedFree(_entries);
        NativeMemory.AlignedFree(_tags);
        _entries = null;
        _tags = null;
    }
}
