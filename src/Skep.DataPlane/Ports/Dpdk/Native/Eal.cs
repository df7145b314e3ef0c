using System.Runtime.InteropServices;

namespace Skep.DataPlane.Ports.Dpdk.Native;

/// <summary>The calls into librte_eal. The library is loaded by the first of them.</summary>
internal static unsafe partial class Eal
{
    public const string Library = "librte_eal.so.23";
    public const uint NoLcore = uint.MaxValue;

    [LibraryImport(Library, EntryPoint = "rte_version")]
    public static partial byte* Version();

    [LibraryImport(Library, EntryPoint = "rte_eal_init")]
    public static partial int Init(int count, byte** arguments);

    [LibraryImport(Library, EntryPoint = "rte_openlog_stream")]
    public static partial int OpenLogStream(void* file);

    [LibraryImport(Library, EntryPoint = "rte_strerror")]
    public static partial byte* ErrorText(int error);

    [LibraryImport(Library, EntryPoint = "rte_dev_probe", StringMarshalling = StringMarshalling.Utf8)]
    public static partial int Probe(string device);

    [LibraryImport(Library, EntryPoint = "rte_eal_hotplug_remove", StringMarshalling = StringMarshalling.Utf8)]
    public static partial int Remove(string bus, string device);

    [LibraryImport(Library, EntryPoint = "rte_thread_register")]
    public static partial int RegisterThread();

    /// <summary>This thread's lcore; <see cref="NoLcore"/> where it has none.</summary>
    public static uint LcoreOfThread => *(uint*)OfThread("per_lcore__lcore_id");

    /// <summary>rte_errno: why this thread's last call failed.</summary>
    public static int Error => *(int*)OfThread("per_lcore__rte_errno");

    /// <summary>What a result below zero, or rte_errno, means.</summary>
    public static string Text(int error) => Marshal.PtrToStringUTF8((nint)ErrorText(Math.Abs(error))) ?? $"error {error}";

    // dlsym(3) gives the calling thread's own instance of a thread-local variable.
    private static void* OfThread(string variable) => (void*)NativeLibrary.GetExport(NativeLibrary.Load(Library), variable);
}
