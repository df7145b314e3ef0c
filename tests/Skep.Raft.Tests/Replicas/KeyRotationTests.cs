using System.Text;
using Skep.Raft.Log;
using Skep.Raft.Tests.Simulation;

namespace Skep.Raft.Tests.Replicas;

public sealed class KeyRotationTests
{
    [Fact]
    public async Task Each_member_changes_its_data_key_while_commands_come_and_needs_the_old_one_no_more()
    {
        await using var members = await Members.StartAsync(3, snapshotEveryEntries: 40, keepEntries: 10);
        await members.ProposeAsync("before");
        using var enough = new CancellationTokenSource();
        var load = Task.Run(async () =>
        {
            for (var i = 0; !enough.IsCancellationRequested; i++)
            {
                await members.ProposeAsync($"meanwhile {i}");
            }
        });
        await Task.WhenAll(members.Up.Select(static m => m.Host.RotateDataKeyAsync(KeyOf(m.Id)))).WaitAsync(Members.Patience);
        await enough.CancelAsync();
        await load.WaitAsync(Members.Patience);
        await members.ProposeAsync("after");

        for (var id = 1UL; id <= 3; id++)
        {
            await Members.UntilAppliedAsync(members[id], "after");
            await members.StopAsync(id);
            AssertOnly(KeyOf(id), members.FolderOf(id));
            await members.StartAsync(id, dataKey: KeyOf(id));
            await Members.UntilAppliedAsync(members[id], "after");
            Assert.True(members[id].Has("before"));
        }
    }

    [Fact]
    public async Task Entries_that_another_leader_voids_do_not_hold_the_change_up()
    {
        await using var members = await Members.StartAsync(3);
        await members.ProposeAsync("before");
        var cutOff = await members.LeaderAsync();
        members.Wire.Cut(cutOff.Id);
        var last = cutOff.Group.Status.LastIndex;
        var lost = cutOff.Group.ProposeAsync(Encoding.ASCII.GetBytes("lost"));
        await cutOff.Group.WaitForAsync(s => s.LastIndex > last).WaitAsync(Members.Patience);
        var rotation = cutOff.Host.RotateDataKeyAsync(KeyOf(cutOff.Id));
        await members.ProposeAsync("instead", without: cutOff.Id);
        members.Wire.Heal(cutOff.Id);
        await rotation.WaitAsync(Members.Patience);
        await Members.UntilAppliedAsync(cutOff, "instead");
        await Assert.ThrowsAnyAsync<Exception>(() => lost);
        AssertOnly(KeyOf(cutOff.Id), members.FolderOf(cutOff.Id));
    }

    [Fact]
    public async Task A_member_that_is_behind_is_sent_a_snapshot_of_what_the_change_has_removed()
    {
        await using var members = await Members.StartAsync(3);
        await members.ProposeAsync("before");
        await members.StopAsync(3);
        await members.ProposeAsync("missed");
        foreach (var member in members.Up.ToList())
        {
            await Members.UntilAppliedAsync(member, "missed");
            await member.Host.RotateDataKeyAsync(KeyOf(member.Id)).WaitAsync(Members.Patience);
        }

        await members.StartAsync(3);
        await Members.UntilAppliedAsync(members[3], "missed");
    }

    private static byte[] KeyOf(ulong id) => [.. TestKeys.OtherDataKey.Select(b => (byte)(b + id))];

    private static void AssertOnly(byte[] key, string folder)
    {
        var id = new DataKeys(key, []).CurrentId;
        foreach (var file in Directory.GetFiles(folder).Where(static f => !f.EndsWith(".tmp", StringComparison.Ordinal) && Path.GetFileName(f) != "lock"))
        {
            Assert.Equal(id, File.ReadAllBytes(file)[40..56]);
        }
    }
}
