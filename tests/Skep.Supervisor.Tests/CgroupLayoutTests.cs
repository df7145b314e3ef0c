using Skep.Supervisor.Cgroups;
using Skep.Supervisor.Tasks;

namespace Skep.Supervisor.Tests;

public sealed class CgroupLayoutTests
{
    [Fact]
    public void Version_2_alone()
    {
        var layout = CgroupLayout.Parse(
            "30 23 0:26 / /sys/fs/cgroup rw,nosuid shared:4 - cgroup2 cgroup2 rw,nsdelegate\n", "0::/system.slice/swarmd.service\n");
        Assert.Equal(("/sys/fs/cgroup", 0), (layout.Tracking, layout.Controllers.Count));
    }

    [Fact]
    public void The_hybrid_tracks_in_version_2_and_limits_in_version_1_below_our_own_cgroup()
    {
        var layout = CgroupLayout.Parse(
            """
            32 31 0:29 / /sys/fs/cgroup/cpu,cpuacct rw,relatime - cgroup cgroup rw,cpu,cpuacct
            35 31 0:32 / /sys/fs/cgroup/memory rw,relatime - cgroup cgroup rw,memory
            41 31 0:38 / /sys/fs/cgroup/unified rw,relatime - cgroup2 cgroup2 rw
            """,
            "4:memory:/outer/x\n1:cpu,cpuacct:/\n0::/\n");
        Assert.Equal("/sys/fs/cgroup/unified", layout.Tracking);
        Assert.Equal("/sys/fs/cgroup/memory/outer/x", layout.Controllers["memory"]);
        Assert.Equal("/sys/fs/cgroup/cpu,cpuacct", layout.Controllers["cpu"]);
    }

    [Fact]
    public void Version_1_alone_tracks_where_the_service_manager_does()
    {
        var layout = CgroupLayout.Parse(
            "37 31 0:34 / /sys/fs/cgroup/systemd rw - cgroup cgroup rw,xattr,name=systemd\n36 31 0:33 / /sys/fs/cgroup/pids rw - cgroup cgroup rw,pids\n",
            "9:name=systemd:/user.slice\n8:pids:/\n");
        Assert.Equal("/sys/fs/cgroup/systemd/user.slice", layout.Tracking);
    }

    [Fact]
    public void A_container_sees_its_own_cgroup_as_the_root()
    {
        var layout = CgroupLayout.Parse(
            "35 31 0:32 /docker/abc /sys/fs/cgroup/mem\\040ory rw - cgroup cgroup rw,memory\n", "4:memory:/docker/abc/inner\n");
        Assert.Equal("/sys/fs/cgroup/mem ory/inner", layout.Controllers["memory"]);
    }

    [Fact]
    public void Nothing_mounted_means_nothing_tracked() =>
        Assert.Null(CgroupLayout.Parse("22 1 8:1 / / rw - ext4 /dev/sda1 rw\ngarbage\n", "").Tracking);

    [Fact]
    public void User_ids_are_each_tasks_own_and_come_back_last()
    {
        var pool = new UidPool(7);
        var all = Enumerable.Range(0, 4096).Select(_ => pool.Take()!.Value).ToList();
        Assert.Equal(4096, all.Distinct().Count());
        Assert.Null(pool.Take());
        pool.GiveBack(all[5]);
        Assert.Equal(all[5], pool.Take());
    }
}
