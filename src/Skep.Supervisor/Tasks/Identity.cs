using Skep.Supervisor.Native;
using Skep.Supervisor.Protocol;

namespace Skep.Supervisor.Tasks;

/// <summary>What only a supervisor that is root can do.</summary>
internal static class Identity
{
    /// <summary>What a request asks for that needs root, or null.</summary>
    public static string? Unsupported(StartRequest request)
    {
        var what = request.Uid != StartRequest.TaskOwnId && request.Uid != Libc.GetEUid() ? "user"
            : request.Groups.Count > 0 ? "groups"
            : request.Capabilities != 0 ? "capabilities"
            : request.Files.Count > 0 ? "secrets and configs"
            : request.Mounts.Count > 0 ? "mounts"
            : request.ReadOnlyRoot ? "read_only"
            : request.Hostname.Length > 0 ? "hostname"
            : request.OomScoreAdj < 0 ? "oom_score_adj below 0"
            : null;
        return what is null ? null : $"{what}: this node does not run as root";
    }
}
