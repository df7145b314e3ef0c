using System.CommandLine;
using Grpc.Core;
using Skep.DataPlane.Ports;
using Skep.V1;
using Swarmctl.Flags;

namespace Swarmctl.DataPlane;

/// <summary><c>dataplane capture</c>: frames into a pcap file, which tcpdump and Wireshark read.</summary>
internal static class CaptureCommand
{
    private static readonly Option<string> Write = new("--write", "-w") { Description = "File to write, or - for standard output", HelpName = "string" };
    private static readonly Option<string> Host = new("--host") { Description = "Only frames from or to this address", HelpName = "string" };
    private static readonly Option<uint> Port = new("--port") { Description = "Only frames from or to this port", HelpName = "uint" };
    private static readonly Option<string> Protocol = new("--protocol") { Description = "Only frames of tcp, udp, icmp or arp", HelpName = "string", CompletionSources = { "tcp", "udp", "icmp", "arp" } };
    private static readonly Option<string> Interface = new("--interface", "-i") { Description = "Only frames of this port of the data plane", HelpName = "string" };
    private static readonly Option<uint> MaxFrameBytes = new("--max-frame-bytes") { Description = "Cut frames off behind so many bytes", HelpName = "uint" };
    private static readonly Option<ulong> Count = CommonFlags.Count("--count", "End after so many frames");

    public static Command Make() => DataPlaneRun.Command(
        "capture", "Write frames as they come in and as they leave to a pcap file", RunAsync, Write, Host, Port, Protocol, Interface, MaxFrameBytes, Count);

    private static async Task RunAsync(DataPlaneRun run, CancellationToken ct)
    {
        string file = run.Flags.GetValue(Write) is { Length: > 0 } given ? given : throw new UserException("where to? Name a file with --write, or - for standard output");
        ulong most = run.Flags.GetValue(Count);
        var request = new CaptureRequest
        {
            Host = run.Flags.GetValue(Host) ?? "",
            Port = run.Flags.GetValue(Port),
            Protocol = run.Flags.GetValue(Protocol) ?? "",
            Interface = run.Flags.GetValue(Interface) ?? "",
            MaxFrameBytes = run.Flags.GetValue(MaxFrameBytes),
        };
        using AsyncServerStreamingCall<CapturedFrame> call = run.Client.Capture(request, cancellationToken: ct);
        PcapWriter? pcap = null;
        ulong seen = 0, lost = 0;
        try
        {
            if (file == "-")
            {
                pcap = new PcapWriter(run.Around.KeyOutput());
            }
            while (seen != most || most == 0)
            {
                if (!await call.ResponseStream.MoveNext(ct))
                {
                    break;
                }
                CapturedFrame frame = call.ResponseStream.Current;
                // A request that was refused leaves no file behind.
                pcap ??= new PcapWriter(System.IO.File.Create(file));
                pcap.Write(frame.Data.Span, (int)frame.Length, DateTimeOffset.UnixEpoch.AddTicks((long)frame.UnixNs / 100));
                (seen, lost) = (seen + 1, frame.Lost);
            }
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new UserException(e.Message);
        }
        finally
        {
            pcap?.Dispose();
            run.Around.Error.WriteLine($"{seen:N0} frames captured{(lost > 0 ? $"; {lost:N0} more came too fast to be written" : "")}");
        }
    }
}
