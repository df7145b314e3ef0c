using System.Net.Sockets;
using CsCheck;
using Skep.Agent.Executors.Process;
using Skep.Supervisor.Protocol;
using static Skep.Supervisor.Tests.SupervisorHarness;

namespace Skep.Supervisor.Tests;

public sealed class ProtocolTests
{
    public static TheoryData<string, byte[]> Garbage => new()
    {
        { "http", "GET / HTTP/1.1\r\nHost: x\r\n\r\n"u8.ToArray() },
        { "a length beyond the bound", [0xFF, 0xFF, 0xFF, 0x7F, 1, 0, 0, 0, 0] },
        { "a length below the head", [1, 0, 0, 0, 1] },
        { "a start before the hello", [5, 0, 0, 0, 2, 0, 0, 0, 0] },
        { "a hello of another thing", [12, 0, 0, 0, 1, 0, 0, 0, 0, 1, 2, 3, 4, 1, 0, 0] },
    };

    [Theory]
    [MemberData(nameof(Garbage))]
    public async Task Garbage_closes_its_connection_and_nothing_else(string what, byte[] bytes)
    {
        await using var h = new SupervisorHarness();
        await h.Client.StartAsync(Shell("t", "sleep 1000"), h.Ct);
        using var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        await socket.ConnectAsync(new UnixDomainSocketEndPoint(h.StateDir + "/supervisor.sock"), h.Ct);
        await socket.SendAsync(bytes, h.Ct);
        Assert.True(await Closes(socket), what);
        Assert.Equal(TaskPhase.Running, (await h.Client.FindAsync("t", h.Ct))!.Phase);
        await h.Client.StopAsync("t", 0, 0, h.Ct);
        await h.EndOf("t");
    }

    [Fact]
    public async Task A_list_longer_than_its_frame_closes_the_connection_and_allocates_nothing()
    {
        await using var h = new SupervisorHarness();
        using var socket = await new SupervisorLauncher(
            h.StateDir, SupervisorHarness.Program, h.Idle, Microsoft.Extensions.Logging.Abstractions.NullLogger.Instance).ConnectAsync(h.Ct);
        using var frames = new FrameStream(socket);
        await frames.GreetAsync(false, h.Ct);
        await frames.WriteAsync(FrameKind.Start, 1, w =>
        {
            w.Text("t");
            w.I32(int.MaxValue);
        }, h.Ct);
        Assert.Null(await frames.ReadAsync(h.Ct));
    }

    [Fact]
    public void A_start_request_comes_back_as_it_was_written()
    {
        var texts = Gen.String[0, 12].Array[0, 4];
        var requests = Gen.Select(
            texts, texts, Gen.UInt.Array[0, 4], Gen.ULong, Gen.Byte.Array[0, 64], Gen.Long, Gen.Bool,
            (argv, env, groups, capabilities, data, number, flag) => new StartRequest
            {
                TaskId = "t",
                Argv = argv,
                Env = env,
                Groups = groups,
                Capabilities = capabilities,
                MemoryBytes = number,
                ReadOnlyRoot = flag,
                Files = [new PrivateFile("f", data, 1, 2, 3)],
                Mounts = [new TaskMount("/a", "/b", flag, !flag, number, 7)],
                ResourceLimits = [new ResourceLimit(7, capabilities, ulong.MaxValue)],
            });
        requests.Sample(request =>
        {
            var once = Bytes(request);
            var r = new WireReader(once);
            var read = StartRequest.Read(ref r);
            r.End();
            return Bytes(read).SequenceEqual(once);
        });
    }

    [Fact]
    public void Bytes_of_any_kind_are_read_or_refused_never_anything_else() =>
        Gen.Byte.Array[0, 200].Sample(bytes =>
        {
            try
            {
                var r = new WireReader(bytes);
                _ = StartRequest.Read(ref r).Fault();
            }
            catch (WireException)
            {
            }
        });

    [Theory]
    [InlineData("a", true)]
    [InlineData("a/b", true)]
    [InlineData("", false)]
    [InlineData("/a", false)]
    [InlineData("../a", false)]
    [InlineData("a/../b", false)]
    [InlineData("a//b", false)]
    [InlineData("a/", false)]
    public void A_private_file_stays_below_its_folder(string path, bool stays) =>
        Assert.Equal(stays, StartRequest.IsPrivatePath(path));

    private static byte[] Bytes(StartRequest request)
    {
        var w = new WireWriter();
        request.Write(w);
        return w.ToArray();
    }

    private static async Task<bool> Closes(Socket socket)
    {
        var buffer = new byte[4096];
        try
        {
            // A welcome with our version may come before.
            while (await Within(socket.ReceiveAsync(buffer, SocketFlags.None), "the connection's end") > 0)
            {
            }
            return true;
        }
        catch (SocketException)
        {
            return true;
        }
    }
}
