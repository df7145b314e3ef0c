using System.Runtime.InteropServices;
using Skep.DataPlane.Ports.Dpdk.Native;

namespace Skep.DataPlane.Ports.Dpdk;

/// <summary>
/// DPDK's environment: memory, buses, drivers. A process has one, which starts once and stays; devices come and go afterwards. Its
/// libraries are loaded here, so that a program starts on machines that do not have them.
/// </summary>
public static unsafe class DpdkEal
{
    /// <summary>Why it did not start when that was last tried; null where it did.</summary>
    internal static string? Failure { get; private set; }

    /// <summary>Held by whoever changes devices or pools: DPDK's log, from which errors are made, is one.</summary>
    internal static readonly Lock Control = new();
    private static DpdkOptions? s_options;
    private static string? s_failure;

    /// <summary>What was started, such as <c>DPDK 22.11.11</c>; null before.</summary>
    public static string? Version { get; private set; }

    /// <summary>Starts it; where it has started, nothing happens.</summary>
    /// <exception cref="IOException">
    /// It cannot start: the message says what is missing (library, huge pages, module, rights) and how to get it. Whoever catches
    /// this can go on with another kind of port.
    /// </exception>
    /// <exception cref="InvalidOperationException">It has started with other options.</exception>
    public static void Start(DpdkOptions options)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(options.MemoryMb, 1);
        lock (Control)
        {
            if (s_options is not null)
            {
                Same(options, s_options);
                return;
            }
            try
            {
                (Version, s_options) = (StartOnce(options), options);
                Failure = null;
            }
            catch (IOException e)
            {
                Failure = e.Message;
                throw;
            }
        }
    }

    // EAL cannot be tried twice; whatever can be seen to be missing is found before it is.
    private static string StartOnce(DpdkOptions options)
    {
        string version = DpdkLibraries.Require();
        if (options.HugePages)
        {
            HugePages.Require(options.MemoryMb);
        }
        foreach (string device in options.PciDevices)
        {
            PciCard.Require(device);
        }
        if (s_failure is not null)
        {
            throw new IOException(s_failure);
        }
        Initialise(options, version);
        return version;
    }

    /// <summary>Holds a card's address to those that EAL was started for.</summary>
    internal static bool Has(string pciDevice) => s_options?.PciDevices.Contains(pciDevice, StringComparer.OrdinalIgnoreCase) ?? false;

    /// <summary>Refuses to go on before EAL has started.</summary>
    internal static void RequireStarted()
    {
        if (s_options is null)
        {
            throw new InvalidOperationException($"DPDK has not started: call {nameof(DpdkEal)}.{nameof(Start)} first");
        }
    }

    private static void Same(DpdkOptions wanted, DpdkOptions started)
    {
        if (wanted with { PciDevices = started.PciDevices, ExtraArguments = started.ExtraArguments } != started
            || !wanted.PciDevices.SequenceEqual(started.PciDevices) || !wanted.ExtraArguments.SequenceEqual(started.ExtraArguments))
        {
            throw new InvalidOperationException("DPDK has started with other options, and starts once in a process");
        }
    }

    private static void Initialise(DpdkOptions options, string version)
    {
        IReadOnlyList<string> arguments = EalArguments.Make(options, EalArguments.FirstCore(File.ReadAllText("/proc/self/status")));
        EalLog.Begin();
        // EAL keeps pointers to its arguments, so they are never freed; getopt(3) wants a null behind them.
        var native = (byte**)NativeMemory.AllocZeroed((nuint)(arguments.Count + 1), (nuint)sizeof(byte*));
        for (int i = 0; i < arguments.Count; i++)
        {
            native[i] = (byte*)Marshal.StringToCoTaskMemUTF8(arguments[i]);
        }
        int result = -1, error = 0;
        // EAL binds the thread that starts it to its main lcore's core: one of its own, so that no other is slowed.
        var thread = new Thread(() =>
        {
            result = Eal.Init(arguments.Count, native);
            error = result < 0 ? Eal.Error : 0;
        });
        thread.Start();
        thread.Join();
        RemoveFolder();
        if (result < 0)
        {
            s_failure = $"{version} cannot start ({Eal.Text(error)}): {EalLog.Read()}. {Hint(Environment.UserName == "root")} Arguments: {string.Join(' ', arguments.Skip(1))}";
            throw new IOException(s_failure);
        }
    }

    // EAL makes a folder for files shared between processes, of which there are none here, and never removes it.
    private static void RemoveFolder()
    {
        string run = Environment.UserName == "root" ? "/var/run" : Environment.GetEnvironmentVariable("XDG_RUNTIME_DIR") ?? "/tmp";
        string folder = $"{run}/dpdk/{EalArguments.FilePrefix}";
        if (Directory.Exists(folder) && !Directory.EnumerateFileSystemEntries(folder).Any())
        {
            Directory.Delete(folder);
        }
    }

    private static string Hint(bool root) => root ? "This process cannot try again." : "It takes root, or rights to huge pages and /dev/vfio. This process cannot try again.";
}
