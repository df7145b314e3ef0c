using Swarmctl.Connection;

namespace Swarmctl.Coordination.Moving;

/// <summary>How many nodes are done, shown on standard error while a person watches.</summary>
internal sealed class NodeProgress(Surroundings around, string what, int? of) : IDisposable
{
    private const int EveryMs = 200;

    private readonly bool show = around.ErrorIsTerminal();
    private long shownAt;
    private bool shown;

    public void Show(int done)
    {
        long now = Environment.TickCount64;
        if (show && now - shownAt >= EveryMs)
        {
            (shownAt, shown) = (now, true);
            around.Error.Write(of is int all ? $"\r\e[K{done:N0} of {all:N0} nodes {what}" : $"\r\e[K{done:N0} nodes {what}");
        }
    }

    public void Dispose()
    {
        if (shown)
        {
            around.Error.Write("\r\e[K");
        }
    }
}
