namespace Skep.Bench.Coordination;

/// <summary>A row of the table of rates.</summary>
/// <param name="Name">What it is called there.</param>
/// <param name="Mode">The load client's word for it.</param>
/// <param name="Outstanding">How many requests are under way at any time.</param>
/// <param name="Wanted">How many times ZooKeeper's figure ours is to be.</param>
/// <param name="PerCpuSecond">Whether that figure is operations a second of the servers' processor time; else operations a second.</param>
/// <param name="Followers">Whether no client speaks to the leader.</param>
internal sealed record Rate(string Name, string Mode, int Outstanding, double Wanted, bool PerCpuSecond = false, bool Followers = false)
{
    public static readonly Rate PlainGet = new("get 128 B from followers", "get", 512, 3, PerCpuSecond: true, Followers: true);

    /// <summary>Ours when every read is linearizable; it is held against <see cref="PlainGet"/> of ZooKeeper.</summary>
    public static readonly Rate LinearizableGet = PlainGet with { Name = "linearizable get", Wanted = 1, PerCpuSecond = false };

    public static readonly Rate[] All =
    [
        new("set 128 B", "set", 1, 2),
        new("set 128 B", "set", 64, 8),
        new("set 128 B", "set", 512, 15),
        new("create sequential ephemeral", "create", 64, 8),
        PlainGet,
        LinearizableGet,
        new("mix 1 set : 9 gets", "mix", 512, 3, PerCpuSecond: true),
    ];
}
