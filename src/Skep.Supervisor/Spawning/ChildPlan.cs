using System.Runtime.InteropServices;
using System.Text;
using Skep.Supervisor.Native;

namespace Skep.Supervisor.Spawning;

/// <summary>Where a child failed before its program ran.</summary>
internal enum ChildStep
{
    None = 0,
    Cgroup,
    Session,
    Namespace,
    ReadOnlyRoot,
    Mount,
    Secrets,
    Hostname,
    Limits,
    OomScore,
    StandardStreams,
    Groups,
    Group,
    User,
    Capabilities,
    NoNewPrivileges,
    Directory,
    Execute,
}

/// <summary>One mount(2) of the child's, and the attributes set on it afterwards.</summary>
internal unsafe struct MountStep
{
    public byte* Source;
    public byte* Target;
    public byte* Type;
    public nuint Flags;
    public byte* Data;
    public byte ReadOnlyAfter;
    public byte Recursive;
}

/// <summary>One file of /run/secrets; a null <see cref="Data"/> is a folder.</summary>
internal unsafe struct FileStep
{
    public byte* Path;
    public byte* Data;
    public int Length;
    public uint Uid;
    public uint Gid;
    public uint Mode;
}

internal struct LimitStep
{
    public int Resource;
    public RLimit Limit;
}

/// <summary>All a child reads, in unmanaged memory; it writes back where it failed.</summary>
internal unsafe struct ChildPlan
{
    public byte** CgroupProcs;
    public int Stdin;
    public int Stdout;
    public int Stderr;
    public byte OwnMounts;
    public byte ReadOnlyRoot;
    public MountStep* Mounts;
    public int MountCount;
    public FileStep* Files;
    public int FileCount;
    public byte* SecretsFolder;
    public byte* SecretsData;
    public byte* Hostname;
    public int HostnameLength;
    public LimitStep* Limits;
    public int LimitCount;
    public byte* OomScoreAdj;
    public int OomScoreAdjLength;
    public byte SetIds;
    public uint Uid;
    public uint Gid;
    public uint* Groups;
    public int GroupCount;
    public ulong Capabilities;
    public int LastCapability;
    public byte* Directory;
    public byte** Argv;
    public byte** Env;
    public byte** Candidates;

    public nint SetGroupsCall;
    public nint SetResUidCall;
    public nint SetResGidCall;
    public nint CapSetCall;

    public ChildStep FailedStep;
    public int FailedErrno;
    public int FailedItem;
}

/// <summary>Unmanaged memory for one plan; all of it goes at once.</summary>
internal sealed unsafe class Arena : IDisposable
{
    private readonly List<nint> _blocks = [];

    public void* Take(nuint bytes)
    {
        var block = NativeMemory.AllocZeroed(Math.Max(bytes, 1));
        _blocks.Add((nint)block);
        return block;
    }

    public byte* Text(string text)
    {
        var count = Encoding.UTF8.GetByteCount(text);
        var at = (byte*)Take((nuint)count + 1);
        Encoding.UTF8.GetBytes(text, new Span<byte>(at, count));
        return at;
    }

    public byte* Data(ReadOnlySpan<byte> data)
    {
        var at = (byte*)Take((nuint)data.Length);
        data.CopyTo(new Span<byte>(at, data.Length));
        return at;
    }

    public byte** Texts(IReadOnlyList<string> texts)
    {
        var list = (byte**)Take((nuint)((texts.Count + 1) * sizeof(byte*)));
        for (var i = 0; i < texts.Count; i++)
        {
            list[i] = Text(texts[i]);
        }
        return list;
    }

    public void Dispose()
    {
        foreach (var block in _blocks)
        {
            NativeMemory.Free((void*)block);
        }
        _blocks.Clear();
    }
}
