namespace Skep.Supervisor.Tasks;

/// <summary>
/// User ids for tasks that name no user: each has one no other task has, so that no task can signal, trace or read
/// another. They lie between 0x70000000 and 0x7FFFFFFF, where neither people, nor distributions, nor systemd or
/// user namespaces have theirs; every node of a machine has its own 4,096, by its state directory.
/// </summary>
internal sealed class UidPool(ulong nodeHash)
{
    private const int Size = 4096;

    private readonly uint _first = 0x7000_0000u + ((uint)(nodeHash & 0xFFFF) * Size);
    private readonly HashSet<uint> _taken = [];
    private int _next;

    /// <summary>A free id, or null when all are taken. One given back is used again only after all the others.</summary>
    public uint? Take()
    {
        for (var i = 0; i < Size; i++)
        {
            var uid = _first + (uint)((_next + i) % Size);
            if (_taken.Add(uid))
            {
                _next = (_next + i + 1) % Size;
                return uid;
            }
        }
        return null;
    }

    /// <summary>Marks an id a task from before has.</summary>
    public void Claim(uint uid) => _taken.Add(uid);

    public void GiveBack(uint uid) => _taken.Remove(uid);
}
