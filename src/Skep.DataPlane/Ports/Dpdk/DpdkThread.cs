using System.Runtime.InteropServices;
using Skep.DataPlane.Ports.Dpdk.Native;

namespace Skep.DataPlane.Ports.Dpdk;

/// <summary>
/// The lcore of a thread, by which DPDK finds the thread's own cache of free mbufs. A thread gets one when it first touches a port or
/// pool and gives it up when it ends. There are 128; a thread that gets none works without caches.
/// </summary>
internal static unsafe partial class DpdkThread
{
    private const int None = -1;

    // One more than the lcore, so that zero is a thread that has not asked yet.
    [ThreadStatic] private static int t_lcorePlusOne;
    private static readonly uint s_key = MakeKey();

    /// <summary>This thread's lcore; negative where there is none.</summary>
    public static int Lcore => t_lcorePlusOne > 0 ? t_lcorePlusOne - 1 : Enter();

    private static int Enter()
    {
        if (t_lcorePlusOne == 0)
        {
            t_lcorePlusOne = None;
            if (Eal.RegisterThread() == 0)
            {
                // Any value but null makes the key's destructor run when the thread ends.
                _ = SetSpecific(s_key, 1);
                uint lcore = Eal.LcoreOfThread;
                t_lcorePlusOne = lcore == Eal.NoLcore ? None : (int)lcore + 1;
            }
        }
        return t_lcorePlusOne > 0 ? t_lcorePlusOne - 1 : None;
    }

    private static uint MakeKey()
    {
        uint key;
        nint unregister = NativeLibrary.GetExport(NativeLibrary.Load(Eal.Library), "rte_thread_unregister");
        return CreateKey(&key, unregister) == 0 ? key : throw new IOException("no key for a thread's end can be had");
    }

    [LibraryImport("libc", EntryPoint = "pthread_key_create")]
    private static partial int CreateKey(uint* key, nint destructor);

    [LibraryImport("libc", EntryPoint = "pthread_setspecific")]
    private static partial int SetSpecific(uint key, nint value);
}
