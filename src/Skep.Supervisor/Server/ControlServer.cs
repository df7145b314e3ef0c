using System.Text;
using Skep.Supervisor.Cgroups;
using Skep.Supervisor.Loop;
using Skep.Supervisor.Native;
using Skep.Supervisor.Protocol;
using Skep.Supervisor.Tasks;

namespace Skep.Supervisor.Server;

/// <summary>Listens on the unix socket; takes only peers that are root or who we are.</summary>
internal sealed unsafe class ControlServer : IEventSource
{
    /// <summary>Most connections at once: the agent's one and one for each log being read.</summary>
    private const int MaxConnections = 256;

    /// <summary>Longest path a unix socket can have on Linux, in bytes.</summary>
    public const int MaxPathBytes = 107;

    private readonly EventLoop _loop;
    private readonly HashSet<Connection> _connections = [];
    private readonly int _fd;

    /// <param name="loop">The loop.</param>
    /// <param name="tasks">What is served.</param>
    /// <param name="cgroups">Said in the welcome.</param>
    /// <param name="path">The socket's path; a file there is replaced.</param>
    public ControlServer(EventLoop loop, TaskTable tasks, CgroupTree cgroups, string path)
    {
        (_loop, Tasks) = (loop, tasks);
        Welcome = new Welcome(
            Wire.Version, Environment.ProcessId, cgroups.CanLimit(Controller.Memory), cgroups.CanLimit(Controller.Cpu),
            cgroups.CanLimit(Controller.Pids), cgroups.Text);
        _fd = Listen(path);
        loop.Watch(_fd, Consts.EPollIn, this);
        tasks.Changed += Tell;
    }

    public TaskTable Tasks { get; }

    public Welcome Welcome { get; }

    /// <summary>Connections there are.</summary>
    public int Count => _connections.Count;

    public void OnReady(uint events)
    {
        int fd;
        // struct ucred: pid, uid, gid
        var credentials = stackalloc uint[3];
        while ((fd = Libc.Accept(_fd, null, null, Consts.SocketNonBlock | Consts.SocketCloseOnExec)) >= 0)
        {
            uint length = 12;
            var known = Libc.GetSockOpt(fd, Consts.SolSocket, Consts.SoPeerCred, credentials, &length) == 0
                && (credentials[1] == 0 || credentials[1] == Libc.GetEUid());
            if (!known || _connections.Count >= MaxConnections)
            {
                SupervisorLog.Write(known
                    ? $"connection refused: there are {MaxConnections} already"
                    : $"connection refused: it is of user {credentials[1]}");
                _ = Libc.Close(fd);
                continue;
            }
            _connections.Add(new Connection(_loop, fd, this));
        }
    }

    public void Closed(Connection connection) => _connections.Remove(connection);

    private void Tell(TaskReport report)
    {
        foreach (var connection in (Connection[])[.. _connections])
        {
            connection.Tell(report);
        }
    }

    private static int Listen(string path)
    {
        var bytes = Encoding.UTF8.GetBytes(path);
        if (bytes.Length > MaxPathBytes)
        {
            throw new IOException(
                $"{path}: a unix socket's path has at most {MaxPathBytes} bytes, this one has {bytes.Length}: take a shorter state directory");
        }
        _ = Libc.Unlink(path);
        var fd = Libc.Socket(Consts.UnixDomain, Consts.SocketStream | Consts.SocketNonBlock | Consts.SocketCloseOnExec, 0);
        // struct sockaddr_un: family (u16), path
        var address = stackalloc byte[MaxPathBytes + 3];
        new Span<byte>(address, MaxPathBytes + 3).Clear();
        *(ushort*)address = Consts.UnixDomain;
        bytes.CopyTo(new Span<byte>(address + 2, MaxPathBytes));
        // The mode is right from the first moment on: nobody can connect in between.
        var mask = Libc.UMask(0x7F);
        var bound = fd >= 0 && Libc.Bind(fd, address, (uint)bytes.Length + 3) == 0;
        var error = Libc.LastError;
        Libc.UMask(mask);
        if (!bound || Libc.ChMod(path, 0x180) != 0 || Libc.Listen(fd, 64) != 0)
        {
            throw new IOException($"{path}: cannot listen: {Libc.Describe(bound ? Libc.LastError : error)}");
        }
        return fd;
    }
}
