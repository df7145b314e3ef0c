using Skep.Jute;

namespace Skep.Coordination.Client;

/// <summary>What kind of znode is made; the numbers are the protocol's flags.</summary>
public enum CreateMode
{
    /// <summary>Stays until it is deleted.</summary>
    Persistent = 0,

    /// <summary>Goes with the session.</summary>
    Ephemeral = 1,

    /// <summary>Stays, and its name ends in the parent's next number, ten digits.</summary>
    PersistentSequential = 2,

    /// <summary>Goes with the session, and its name ends in the parent's next number.</summary>
    EphemeralSequential = 3,

    /// <summary>Goes some time after its last child.</summary>
    Container = 4,

    /// <summary>Goes when it was not changed for its time to live and has no children. The server must have extended types enabled.</summary>
    PersistentWithTtl = 5,

    /// <summary>As <see cref="PersistentWithTtl"/>, with a number at the end of its name.</summary>
    PersistentSequentialWithTtl = 6,
}

internal static class CreateModes
{
    public static OpCode Operation(this CreateMode mode) => mode switch
    {
        CreateMode.Container => OpCode.CreateContainer,
        CreateMode.PersistentWithTtl or CreateMode.PersistentSequentialWithTtl => OpCode.CreateTtl,
        _ => OpCode.Create2,
    };

    public static bool IsSequential(this CreateMode mode) =>
        mode is CreateMode.PersistentSequential or CreateMode.EphemeralSequential or CreateMode.PersistentSequentialWithTtl;

    public static void Check(this CreateMode mode, TimeSpan? ttl)
    {
        if (mode.Operation() == OpCode.CreateTtl != ttl.HasValue)
        {
            throw new ArgumentException($"a node of mode {mode} {(ttl.HasValue ? "has no" : "needs a")} time to live", nameof(ttl));
        }
    }
}
