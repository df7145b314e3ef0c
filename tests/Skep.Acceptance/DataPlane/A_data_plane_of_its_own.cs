using System.Diagnostics;
using Skep.Acceptance.Harness;

namespace Skep.Acceptance.DataPlane;

/// <summary><c>swarmd dataplane</c> in a namespace with one device, spoken to by its socket.</summary>
public sealed class A_data_plane_of_its_own : IAsyncLifetime
{
    private readonly string place = $"skep-dp-{Environment.ProcessId}";
    private readonly string folder = Directory.CreateTempSubdirectory("skep-dp-").FullName;
    private Process? process;

    private string Socket => Path.Combine(folder, "dataplane.sock");

    public async ValueTask InitializeAsync()
    {
        Programs.Need();
        (await Shell.RunAsync("ip", ["netns", "add", place])).Ok.ToString();
        await IpAsync("link", "set", "lo", "up");
        await IpAsync("link", "add", "front", "type", "veth", "peer", "name", "peer");
        await IpAsync("link", "set", "front", "up");
        await IpAsync("link", "set", "peer", "up");
    }

    public async ValueTask DisposeAsync()
    {
        await KillAsync();
        await Shell.RunAsync("ip", ["netns", "del", place]);
        Directory.Delete(folder, recursive: true);
    }

    [Fact]
    public async Task It_obeys_its_socket_as_nobody_and_starts_again_where_it_was_killed()
    {
        await StartAsync("--table", await TableAsync("""{ "version": 5, "services": [ { "name": "web", "address": "198.51.100.1", "port": 80, "backends": [ { "address": "192.0.2.7", "port": 8080 } ] } ] }"""));
        Assert.Contains("\nUid:\t65534\t65534\t65534\t65534\n", await File.ReadAllTextAsync($"/proc/{process!.Id}/status", TestContext.Current.CancellationToken), StringComparison.Ordinal);
        Assert.Contains("192.0.2.1/24", (await Shell.RunAsync("ip", ["-n", place, "addr", "show", "tap0"])).Ok, StringComparison.Ordinal);

        string services = (await CtlAsync("services")).Ok;
        Assert.Matches(@"web +198\.51\.100\.1:80/tcp +nat +0 +192\.0\.2\.7:8080 +UP +1 +0 +0 B +0 +192\.0\.2\.7 does not answer on front", services);
        Assert.Matches(@"front +afpacket +([0-9a-f]{2}:){5}[0-9a-f]{2} +192\.0\.2\.1/24", (await CtlAsync("stats")).Ok);
        Assert.Equal("table 6 is in force\n", (await CtlAsync("apply", await TableAsync("""{ "services": [] }"""))).Ok);

        Said late = await CtlAsync("apply", await TableAsync("""{ "version": 5 }"""));
        Assert.Equal((255, "Error: table 5 is not newer than table 6, which is in force: give it a higher version, or version 0 for the next\n"), (late.Exit, late.Errors));
        Said impossible = await CtlAsync("apply", await TableAsync("""{ "services": [ { "name": "far", "address": "198.51.100.1", "port": 80, "backends": [ { "address": "10.9.9.9" } ] } ] }"""));
        Assert.Contains("is on no link of ours and there is no gateway", impossible.Errors, StringComparison.Ordinal);
        Assert.Contains("is no table", (await CtlAsync("apply", await TableAsync("""{ "servces": [] }"""))).Errors, StringComparison.Ordinal);
        Assert.Equal("""{ "version": "6" }""" + "\n", (await CtlAsync("table")).Ok);
        Assert.Contains("0 packets", (await CtlAsync("top")).Ok, StringComparison.Ordinal);

        await KillAsync();
        Assert.Contains($"cannot connect to {Socket}: nobody listens on it. Is swarmd dataplane running", (await CtlAsync("stats")).Errors, StringComparison.Ordinal);
        await StartAsync();
        Assert.Equal("{ }\n", (await CtlAsync("table")).Ok);
    }

    [Fact]
    public async Task Several_workers_have_a_thread_each_on_the_core_that_it_was_given()
    {
        await StartAsync("--workers", "2", "--cores", "1,0", "--wait", "yield");
        Assert.Matches(@"\n0 .* RUNNING\n1 .* RUNNING\n", (await CtlAsync("stats")).Ok);
        foreach ((string worker, string core) in ((string, string)[])[("worker 0", "1"), ("worker 1", "0")])
        {
            string thread = Directory.EnumerateDirectories($"/proc/{process!.Id}/task").Single(t => File.ReadAllText(Path.Combine(t, "comm")).Trim() == worker);
            Assert.Contains($"\nCpus_allowed_list:\t{core}\n", await File.ReadAllTextAsync(Path.Combine(thread, "status"), TestContext.Current.CancellationToken), StringComparison.Ordinal);
        }
    }

    [Theory]
    [InlineData("1")]
    [InlineData("2")]
    public async Task A_capture_is_a_file_that_others_read(string workers)
    {
        await StartAsync("--workers", workers);
        string file = Path.Combine(folder, "seen.pcap");
        Task<Said> capturing = CtlAsync("capture", "--write", file, "--protocol", "arp", "--count", "1");

        // The kernel asks for a neighbour through the tap device, as often as it takes for the capture to have begun.
        await Wait.Until("a frame is captured", async () =>
        {
            await Shell.RunAsync("ip", ["netns", "exec", place, "timeout", "0.2", "bash", "-c", "echo > /dev/tcp/192.0.2.200/9"]);
            return capturing.IsCompleted;
        });
        Assert.Equal("1 frames captured\n", (await capturing).Errors);
        byte[] bytes = await File.ReadAllBytesAsync(file, TestContext.Current.CancellationToken);
        Assert.Equal(0xA1B23C4DU, BitConverter.ToUInt32(bytes));
        Assert.Equal(0x0806, (bytes[24 + 16 + 12] << 8) | bytes[24 + 16 + 13]);
        Assert.Contains("no port 'eth7' here: expected front", (await CtlAsync("capture", "--write", file, "--interface", "eth7")).Errors, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("a data plane needs a port")]
    [InlineData("expected a driver (afpacket, afxdp, dpdk)", "--port", "front")]
    [InlineData("no network device 'nothing' can be found", "--port", "afpacket:nothing")]
    [InlineData("for --wait: expected sleep, yield or busy", "--port", "afpacket:front", "--wait", "long")]
    [InlineData("--workers 17: expected 1 to 16", "--port", "afpacket:front", "--workers", "17")]
    [InlineData("for --cores: expected numbers of cores, as in 0,1", "--port", "afpacket:front", "--cores", "0-1")]
    [InlineData("--cores 0 with --workers 2: expected as many cores as workers", "--port", "afpacket:front", "--workers", "2", "--cores", "0")]
    [InlineData("core 1000 cannot be had", "--port", "afpacket:front", "--workers", "2", "--cores", "0,1000")]
    [InlineData("'front' has too few queues for 16 workers", "--port", "afxdp:front", "--workers", "16")]
    [InlineData("for --flows: expected 1024 to", "--port", "afpacket:front", "--flows", "3")]
    [InlineData("gateway 10.0.0.1 is not on a link of its interface", "--port", "afpacket:front,gateway=10.0.0.1")]
    [InlineData("there is no such user on this machine", "--port", "afpacket:front", "--user", "no-such-user")]
    [InlineData("'speed' is no word of it", "--port", "afpacket:front,speed=10")]
    [InlineData("--table /no/such/file", "--port", "afpacket:front", "--table", "/no/such/file")]
    public async Task What_cannot_start_says_why(string why, params string[] flags)
    {
        Said said = await Shell.RunAsync("ip", ["netns", "exec", place, Programs.Swarmd, "dataplane", "--socket", Socket, .. flags]);
        Assert.Equal(1, said.Exit);
        Assert.Contains(why, said.Errors, StringComparison.Ordinal);
        Assert.DoesNotContain("   at ", said.Errors, StringComparison.Ordinal);
    }

    private Task<Said> CtlAsync(params string[] words) => Shell.RunAsync(Programs.Swarmctl, ["dataplane", .. words, "--socket", Socket]);

    private async Task IpAsync(params string[] words) => (await Shell.RunAsync("ip", ["-n", place, .. words])).Ok.ToString();

    private async Task<string> TableAsync(string text)
    {
        string file = Path.Combine(folder, "table.json");
        await File.WriteAllTextAsync(file, text, TestContext.Current.CancellationToken);
        return file;
    }

    private async Task StartAsync(params string[] flags)
    {
        // exec: the process is the daemon itself.
        process = Process.Start(new ProcessStartInfo("ip", ["netns", "exec", place, Programs.Swarmd, "dataplane", "--socket", Socket, "--port", "afpacket:front,address=192.0.2.1/24,tap=tap0", .. flags]) { RedirectStandardError = true })!;
        Task<string> errors = process.StandardError.ReadToEndAsync();
        await Wait.Until("the data plane answers", async () => (await CtlAsync("stats")).Exit == 0, async () => process.HasExited ? await errors : "it runs and does not answer");
    }

    private async Task KillAsync()
    {
        if (process is not null)
        {
            process.Kill();
            await process.WaitForExitAsync();
            process.Dispose();
            process = null;
        }
    }
}
