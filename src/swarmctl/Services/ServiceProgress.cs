using Docker.Swarmkit.V1;
using Grpc.Core;
using Skep.Api;
using Spectre.Console;
using Swarmctl.Connection;

namespace Swarmctl.Services;

/// <summary>
/// Shows a service settle: on a terminal one live line a slot, elsewhere one line a change. It ends when every wanted task
/// runs the newest spec and no update goes on, or when the update stops with a failure.
/// </summary>
internal static class ServiceProgress
{
    private static readonly TimeSpan Interval = TimeSpan.FromMilliseconds(200);

    public static async Task FollowAsync(Session s, string serviceId, CancellationToken ct)
    {
        await s.Output.FlushAsync(ct).ConfigureAwait(false);
        if (!s.Around.IsTerminal())
        {
            var seen = new Dictionary<string, string>();
            await PollAsync(s, serviceId, view => WriteChanges(s, view, seen), ct).ConfigureAwait(false);
            return;
        }
        await AnsiConsole.Live(new Text("")).StartAsync(live => PollAsync(
            s,
            serviceId,
            view =>
            {
                live.UpdateTarget(Render(view));
                live.Refresh();
            },
            ct)).ConfigureAwait(false);
    }

    private static async Task PollAsync(Session s, string serviceId, Action<ProgressView> show, CancellationToken ct)
    {
        using var timer = new PeriodicTimer(Interval, s.Time);
        do
        {
            Service service = (await s.Control.GetServiceAsync(new() { ServiceId = serviceId }, cancellationToken: ct).ConfigureAwait(false)).Service;
            var tasks = (await s.Control.ListTasksAsync(new() { Filters = new() { ServiceIds = { serviceId } } }, cancellationToken: ct).ConfigureAwait(false)).Tasks;
            var nodes = service.Spec?.Global is null ? null : (await s.Control.ListNodesAsync(new(), cancellationToken: ct).ConfigureAwait(false)).Nodes;
            ProgressView view = ProgressView.Of(service, tasks, nodes?.Count);
            show(view);
            await s.Output.FlushAsync(ct).ConfigureAwait(false);
            if (view.Failure is { } failure)
            {
                throw new UserException(failure);
            }
            if (view.Settled)
            {
                return;
            }
        }
        while (await timer.WaitForNextTickAsync(ct).ConfigureAwait(false));
    }

    private static void WriteChanges(Session s, ProgressView view, Dictionary<string, string> seen)
    {
        foreach (SlotProgress slot in view.Slots)
        {
            if (seen.GetValueOrDefault(slot.Name) != slot.Text)
            {
                seen[slot.Name] = slot.Text;
                s.Output.WriteLine($"{slot.Name}: {slot.Text}");
            }
        }
        if (seen.GetValueOrDefault("") != view.Headline)
        {
            seen[""] = view.Headline;
            s.Output.WriteLine(view.Headline);
        }
    }

    private static Grid Render(ProgressView view)
    {
        var grid = new Grid().AddColumn().AddColumn();
        grid.AddRow(new Text("overall"), new Text(view.Headline));

        // As many slots as a screen has room for.
        foreach (SlotProgress slot in view.Slots.Take(Math.Max(5, AnsiConsole.Profile.Height - 4)))
        {
            grid.AddRow(new Text(slot.Name), new Text(slot.Text, slot.Done ? new Style(Color.Green) : Style.Plain));
        }
        return grid;
    }
}
