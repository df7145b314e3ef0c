using System.Net.Sockets;
using Skep.Node.Listeners;

namespace Skep.Node.Tests.Listeners;

public sealed class ControlSocketFileTests : IDisposable
{
    private const UnixFileMode Owner = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute;

    private readonly string folder = Directory.CreateTempSubdirectory("skep-socket-").FullName;

    private string Socket => Path.Combine(folder, "s");

    public void Dispose() => Directory.Delete(folder, recursive: true);

    [Fact]
    public void A_socket_is_nobody_elses_from_the_moment_it_is_there()
    {
        using var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        using (ControlSocketFile.OwnerOnly())
        {
            socket.Bind(new UnixDomainSocketEndPoint(Socket));
        }
        Assert.Equal((UnixFileMode)0, File.GetUnixFileMode(Socket) & ~Owner);
        string after = Path.Combine(folder, "after");
        File.WriteAllText(after, "");
        Assert.True(File.GetUnixFileMode(after).HasFlag(UnixFileMode.GroupRead), "the mask did not come back");
    }

    [Theory]
    [InlineData(UnixFileMode.GroupWrite)]
    [InlineData(UnixFileMode.OtherWrite)]
    public void A_folder_that_others_may_write_to_is_refused(UnixFileMode others)
    {
        File.SetUnixFileMode(folder, Owner | others);
        Assert.Contains("chmod go-w", Assert.Throws<NodeStartException>(() => ControlSocketFile.Prepare(Socket)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_shared_folder_where_nobody_may_touch_what_is_anothers_is_taken()
    {
        File.SetUnixFileMode(folder, Owner | UnixFileMode.OtherWrite | UnixFileMode.StickyBit);
        ControlSocketFile.Prepare(Socket);
    }
}
