using Swarmctl.Tests.Support;

namespace Swarmctl.Tests.Commands;

public sealed class ClusterUnlockTests
{
    private const string Key = "SWMKEY-1-AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8";

    [Fact]
    public async Task The_key_comes_from_a_file_or_from_standard_input()
    {
        await using FakeManager manager = await new FakeManager().StartAsync();
        string file = manager.Socket + ".key";
        await File.WriteAllTextAsync(file, Key + "\n", TestContext.Current.CancellationToken);

        Assert.Equal("The manager is unlocked and starts\n", (await manager.RunAsync("cluster", "unlock", "--key-file", file)).Succeeds().Output);
        Assert.Equal("The manager is unlocked and starts\n", (await manager.RunAsync($"  {Key}\n", ["cluster", "unlock"])).Succeeds().Output);
        Assert.Equal([Key, Key], manager.Unlocking.Keys);
    }

    [Fact]
    public async Task A_key_as_an_argument_is_not_taken()
    {
        await using FakeManager manager = await new FakeManager().StartAsync();
        Assert.NotEqual(0, (await manager.RunAsync("cluster", "unlock", Key)).ExitCode);
        Assert.Empty(manager.Unlocking.Keys);
    }

    [Fact]
    public async Task No_key_a_file_that_is_not_there_and_one_too_large_are_told()
    {
        await using FakeManager manager = await new FakeManager().StartAsync();
        (await manager.RunAsync("\n", ["cluster", "unlock"])).Fails("no key was given: expected SWMKEY-1-…, which another manager's `swarmctl cluster unlock-key default` shows");
        Assert.StartsWith("Error: invalid argument \"/nowhere/key\" for --key-file: ", (await manager.RunAsync("cluster", "unlock", "--key-file", "/nowhere/key")).Errors, StringComparison.Ordinal);
        (await manager.RunAsync(new string('a', 5000), ["cluster", "unlock"])).Fails("this is no unlock key: it is larger than 4096 bytes");
        Assert.Empty(manager.Unlocking.Keys);
    }

    [Fact]
    public async Task A_manager_that_is_not_locked_is_told_from_one_that_refuses_the_key()
    {
        await using FakeManager manager = await new FakeManager().StartAsync();
        manager.Unlocking.Refusal = new(Grpc.Core.StatusCode.Unimplemented, "Service is unimplemented.");
        (await manager.RunAsync(Key, ["cluster", "unlock"])).Fails("this manager is not locked");
        manager.Unlocking.Refusal = new(Grpc.Core.StatusCode.PermissionDenied, "this key does not unlock this manager");
        (await manager.RunAsync(Key, ["cluster", "unlock"])).Fails("this key does not unlock this manager");
    }
}
