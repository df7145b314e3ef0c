using System.Globalization;
using System.Text;
using Skep.Supervisor.Native;
using Skep.Supervisor.Protocol;

namespace Skep.Supervisor.Spawning;

/// <summary>Lays a request out as the plan its child reads.</summary>
internal static unsafe class PlanBuilder
{
    public const string SecretsFolder = "/run/secrets";

    private const int DefaultSoftFiles = 1024;
    private const string DefaultPath = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

    /// <param name="arena">Holds the plan's memory.</param>
    /// <param name="request">What to start.</param>
    /// <param name="uid">The user it runs as.</param>
    /// <param name="gid">The group it runs as.</param>
    /// <param name="lastCapability">The highest capability this kernel knows.</param>
    public static ChildPlan* Build(Arena arena, StartRequest request, uint uid, uint gid, int lastCapability)
    {
        var plan = (ChildPlan*)arena.Take((nuint)sizeof(ChildPlan));
        plan->Uid = uid;
        plan->Gid = gid;
        plan->SetIds = Libc.GetEUid() == 0 ? (byte)1 : (byte)0;
        plan->GroupCount = request.Groups.Count;
        plan->Groups = (uint*)arena.Take((nuint)(sizeof(uint) * request.Groups.Count));
        for (var i = 0; i < request.Groups.Count; i++)
        {
            plan->Groups[i] = request.Groups[i];
        }
        plan->Capabilities = request.Capabilities;
        plan->LastCapability = lastCapability;
        plan->Directory = arena.Text(request.Directory);
        plan->Argv = arena.Texts(request.Argv);
        plan->Env = arena.Texts(request.Env);
        plan->Candidates = arena.Texts(Candidates(request));
        plan->ReadOnlyRoot = request.ReadOnlyRoot ? (byte)1 : (byte)0;
        plan->OwnMounts = request.ReadOnlyRoot || request.Mounts.Count > 0 || request.Files.Count > 0 ? (byte)1 : (byte)0;
        if (request.Hostname.Length > 0)
        {
            plan->Hostname = arena.Text(request.Hostname);
            plan->HostnameLength = Encoding.UTF8.GetByteCount(request.Hostname);
        }
        if (request.OomScoreAdj != 0)
        {
            var text = request.OomScoreAdj.ToString(CultureInfo.InvariantCulture);
            plan->OomScoreAdj = arena.Text(text);
            plan->OomScoreAdjLength = text.Length;
        }
        Limits(arena, plan, request);
        Mounts(arena, plan, request);
        Files(arena, plan, request, uid, gid);
        return plan;
    }

    /// <summary>The paths a program's name may stand for, in order.</summary>
    public static IReadOnlyList<string> Candidates(StartRequest request)
    {
        var program = request.Argv[0];
        if (program.Contains('/', StringComparison.Ordinal))
        {
            return [program];
        }
        var path = DefaultPath;
        foreach (var variable in request.Env)
        {
            if (variable.StartsWith("PATH=", StringComparison.Ordinal))
            {
                path = variable[5..];
            }
        }
        var candidates = new List<string>();
        foreach (var folder in path.Split(':', StringSplitOptions.RemoveEmptyEntries))
        {
            candidates.Add(folder + "/" + program);
        }
        return candidates;
    }

    private static void Limits(Arena arena, ChildPlan* plan, StartRequest request)
    {
        // First what every task gets: we raised our own bound of open files, which it is not to inherit.
        plan->LimitCount = request.ResourceLimits.Count + 1;
        plan->Limits = (LimitStep*)arena.Take((nuint)(sizeof(LimitStep) * plan->LimitCount));
        RLimit own;
        _ = Libc.GetRLimit(Consts.RLimitNoFile, &own);
        plan->Limits[0] = new LimitStep
        {
            Resource = Consts.RLimitNoFile,
            Limit = new RLimit { Soft = Math.Min(DefaultSoftFiles, own.Hard), Hard = own.Hard },
        };
        for (var i = 0; i < request.ResourceLimits.Count; i++)
        {
            var limit = request.ResourceLimits[i];
            plan->Limits[i + 1] = new LimitStep
            {
                Resource = limit.Resource,
                Limit = new RLimit { Soft = limit.Soft, Hard = limit.Hard },
            };
        }
    }

    private static void Mounts(Arena arena, ChildPlan* plan, StartRequest request)
    {
        plan->MountCount = request.Mounts.Count;
        plan->Mounts = (MountStep*)arena.Take((nuint)(sizeof(MountStep) * request.Mounts.Count));
        for (var i = 0; i < request.Mounts.Count; i++)
        {
            var mount = request.Mounts[i];
            var tmpfs = mount.Source.Length == 0;
            var mode = Convert.ToString(mount.Mode & 0xFFF, 8);
            plan->Mounts[i] = new MountStep
            {
                Source = arena.Text(tmpfs ? "tmpfs" : mount.Source),
                Target = arena.Text(mount.Target),
                Type = arena.Text(tmpfs ? "tmpfs" : ""),
                Flags = tmpfs
                    ? Consts.MountNoSuid | Consts.MountNoDev
                    : Consts.MountBind | (mount.Recursive ? Consts.MountRecursive : 0),
                Data = tmpfs
                    ? arena.Text($"mode={mode}" + (mount.SizeBytes > 0 ? $",size={mount.SizeBytes}" : ""))
                    : null,
                ReadOnlyAfter = mount.ReadOnly ? (byte)1 : (byte)0,
                Recursive = mount.Recursive ? (byte)1 : (byte)0,
            };
        }
    }

    private static void Files(Arena arena, ChildPlan* plan, StartRequest request, uint uid, uint gid)
    {
        if (request.Files.Count == 0)
        {
            return;
        }
        var steps = new List<FileStep>();
        var folders = new HashSet<string>(StringComparer.Ordinal);
        long size = 0;
        foreach (var file in request.Files)
        {
            for (var slash = file.Path.IndexOf('/', StringComparison.Ordinal); slash >= 0;
                slash = file.Path.IndexOf('/', slash + 1))
            {
                var folder = file.Path[..slash];
                if (folders.Add(folder))
                {
                    steps.Add(new FileStep { Path = arena.Text(SecretsFolder + "/" + folder) });
                }
            }
            steps.Add(new FileStep
            {
                Path = arena.Text(SecretsFolder + "/" + file.Path),
                Data = arena.Data(file.Data),
                Length = file.Data.Length,
                Uid = file.Uid == StartRequest.TaskOwnId ? uid : file.Uid,
                Gid = file.Gid == StartRequest.TaskOwnId ? gid : file.Gid,
                Mode = file.Mode & 0xFFF,
            });
            // tmpfs counts whole pages.
            size += ((file.Data.Length / 4096) + 1) * 4096;
        }
        plan->FileCount = steps.Count;
        plan->Files = (FileStep*)arena.Take((nuint)(sizeof(FileStep) * steps.Count));
        for (var i = 0; i < steps.Count; i++)
        {
            plan->Files[i] = steps[i];
        }
        plan->SecretsFolder = arena.Text(SecretsFolder);
        // Inodes and folders take pages of their own; swap would put secrets on a disk, where the kernel can say no.
        plan->SecretsData = arena.Text($"mode=0755,size={size + ((steps.Count + 4) * 4096L)}");
    }
}
