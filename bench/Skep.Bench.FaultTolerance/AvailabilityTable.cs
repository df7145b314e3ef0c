using Docker.Swarmkit.V1;
using Google.Protobuf;
using Grpc.Core;

namespace Skep.Bench.FaultTolerance;

/// <summary>What goes on with none to all of a group's managers killed, the leader first, through a manager that is left.</summary>
internal static class AvailabilityTable
{
    private const string StaleHeader = "skep-may-be-stale";
    private static readonly TimeSpan Enough = TimeSpan.FromSeconds(15);

    public static async Task RunAsync(int members)
    {
        await using ManagerGroup group = await ManagerGroup.StartAsync(members);
        var acknowledged = new HashSet<string>();
        for (int killed = 0; killed <= members; killed++)
        {
            if (killed > 0)
            {
                group.Kill(killed <= members / 2 ? await group.LeaderAsync() : Enumerable.Range(0, members).First(group.Runs));
            }
            int asked = Enumerable.Range(0, members).Where(group.Runs).DefaultIfEmpty(0).First();
            string writes = await WriteAsync(group.ControlOf(asked), $"with-{killed}-killed", acknowledged) ? "go on" : "refused";
            string reads = await ReadAsync(group.ControlOf(asked), acknowledged);
            Console.WriteLine($"| {members} | {killed} | {writes} | {reads} |");
        }
    }

    private static async Task<bool> WriteAsync(Control.ControlClient manager, string name, HashSet<string> acknowledged)
    {
        for (long began = Environment.TickCount64; Environment.TickCount64 - began < Enough.TotalMilliseconds; await Task.Delay(100))
        {
            try
            {
                var spec = new ConfigSpec { Annotations = new() { Name = name }, Data = ByteString.CopyFromUtf8("written") };
                await manager.CreateConfigAsync(new() { Spec = spec }, deadline: DateTime.UtcNow + Enough);
                acknowledged.Add(name);
                return true;
            }
            catch (RpcException e) when (e.StatusCode == StatusCode.AlreadyExists)
            {
                acknowledged.Add(name);
                return true;
            }
            catch (RpcException)
            {
                // Tried again, for an election may be under way.
            }
        }
        return false;
    }

    private static async Task<string> ReadAsync(Control.ControlClient manager, HashSet<string> acknowledged)
    {
        try
        {
            using AsyncUnaryCall<ListConfigsResponse> call = manager.ListConfigsAsync(new(), deadline: DateTime.UtcNow + Enough);
            bool isAll = acknowledged.IsSubsetOf((await call).Configs.Select(static c => c.Spec.Annotations.Name));
            bool isSaid = (await call.ResponseHeadersAsync).GetValue(StaleHeader) is not null;
            return isSaid ? "may be stale, and say so" : isAll ? "current" : "STALE, UNSAID";
        }
        catch (RpcException)
        {
            return "refused";
        }
    }
}
