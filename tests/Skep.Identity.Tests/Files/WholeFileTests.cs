using System.Text;
using Skep.Identity.Files;
using Skep.Identity.Tests.Support;

namespace Skep.Identity.Tests.Files;

public sealed class WholeFileTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    private string Target => Path.Combine(_folder.Root, "file");

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData(WholeFile.Secret)]
    [InlineData(WholeFile.Public)]
    public void A_file_has_its_content_and_mode_and_nothing_is_left_beside_it(UnixFileMode mode)
    {
        WholeFile.Write(Target, "content"u8, mode);

        Assert.Equal("content", File.ReadAllText(Target));
        Assert.Equal(mode, File.GetUnixFileMode(Target));
        Assert.Equal([Target], Directory.GetFileSystemEntries(_folder.Root));
    }

    [Fact]
    public async Task A_reader_sees_the_old_file_or_the_new_one_and_never_half_of_either()
    {
        var (a, b) = (new string('a', 300_000), new string('b', 200_000));
        WholeFile.Write(Target, Encoding.ASCII.GetBytes(a));
        using var stop = new CancellationTokenSource();
        var writer = Task.Run(() =>
        {
            for (var i = 0; !stop.IsCancellationRequested; i++)
            {
                WholeFile.Write(Target, Encoding.ASCII.GetBytes(i % 2 == 0 ? b : a));
            }
        });

        for (var i = 0; i < 300; i++)
        {
            var seen = File.ReadAllText(Target);
            Assert.True(seen == a || seen == b, $"read {seen.Length} characters that were never written");
        }

        await stop.CancelAsync();
        await writer.WaitAsync(TimeSpan.FromSeconds(30));
    }

    [Fact]
    public void What_an_interrupted_write_left_behind_is_no_obstacle()
    {
        File.WriteAllText(Path.Combine(_folder.Root, ".file.new"), "half");

        WholeFile.Write(Target, "whole"u8);

        Assert.Equal("whole", File.ReadAllText(Target));
    }

    [Fact]
    public void A_link_put_in_the_way_is_replaced_and_not_followed()
    {
        var elsewhere = Path.Combine(_folder.Root, "elsewhere");
        File.WriteAllText(elsewhere, "untouched");
        File.CreateSymbolicLink(Path.Combine(_folder.Root, ".file.new"), elsewhere);
        File.CreateSymbolicLink(Target, elsewhere);

        WholeFile.Write(Target, "new"u8);

        Assert.Equal("untouched", File.ReadAllText(elsewhere));
        Assert.Null(new FileInfo(Target).LinkTarget);
    }

    [Fact]
    public void A_write_that_fails_leaves_the_old_file_and_nothing_else()
    {
        Directory.CreateDirectory(Target);

        Assert.ThrowsAny<Exception>(() => WholeFile.Write(Target, "new"u8));

        Assert.Equal([Target], Directory.GetFileSystemEntries(_folder.Root));
    }

    [Fact]
    public void The_state_directory_is_for_its_owner_alone()
    {
        var state = new StateDirectory(Path.Combine(_folder.Root, "state"));
        state.Create();

        const UnixFileMode ownerOnly = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute;
        Assert.Equal(ownerOnly, File.GetUnixFileMode(state.Root));
        Assert.Equal(ownerOnly, File.GetUnixFileMode(state.CertificatesFolder));
    }

    [Fact]
    public void Known_managers_are_kept_as_SwarmKit_keeps_them()
    {
        var state = new StateDirectory(_folder.Root);
        KnownManagers.Save(state, [new KnownManager("n1", "10.0.0.1:4242"), new KnownManager("", "10.0.0.2:4242")]);

        Assert.Equal("""[{"node_id":"n1","addr":"10.0.0.1:4242"},{"node_id":"","addr":"10.0.0.2:4242"}]""", File.ReadAllText(state.KnownManagers));
        Assert.Equal(["10.0.0.1:4242", "10.0.0.2:4242"], KnownManagers.Load(state).Select(m => m.Address));
    }

    [Fact]
    public void A_new_node_knows_no_managers() => Assert.Empty(KnownManagers.Load(new StateDirectory(_folder.Root)));

    [Fact]
    public void A_damaged_list_of_managers_is_named()
    {
        var state = new StateDirectory(_folder.Root);
        File.WriteAllText(state.KnownManagers, "{half");

        var refusal = Assert.Throws<InvalidDataException>(() => KnownManagers.Load(state));
        Assert.Contains(state.KnownManagers, refusal.Message, StringComparison.Ordinal);
        Assert.Contains("--join-addr", refusal.Message, StringComparison.Ordinal);
    }
}
