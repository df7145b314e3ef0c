using System.Diagnostics;
using System.Text;

namespace Skep.Acceptance.Harness;

/// <summary>A swarmctl that goes on, and what it has said so far.</summary>
internal sealed class Following : IDisposable
{
    private readonly Process process;
    private readonly StringBuilder text = new();

    public Following(SkepCluster cluster, params string[] arguments)
    {
        var start = new ProcessStartInfo(Programs.Swarmctl, arguments) { RedirectStandardOutput = true };
        start.Environment["SWARM_SOCKET"] = cluster.Socket;
        process = Process.Start(start)!;
        process.OutputDataReceived += (_, line) =>
        {
            lock (text)
            {
                text.Append(line.Data).Append('\n');
            }
        };
        process.BeginOutputReadLine();
    }

    public string Text
    {
        get
        {
            lock (text)
            {
                return text.ToString();
            }
        }
    }

    public void Dispose()
    {
        process.Kill();
        process.WaitForExit();
        process.Dispose();
    }
}
