namespace Skep.DataPlane.Ports.Dpdk.Native;

/// <summary>
/// What rte_mempool_get and rte_mempool_put, inline in C, do for one object: it comes out of the lcore's cache or goes there, and a
/// cache that is empty or full is filled from the common store or emptied into it, many at once.
/// </summary>
internal static unsafe class MempoolCalls
{
    /// <summary>Takes an object.</summary>
    /// <param name="pool">Its pool.</param>
    /// <param name="ops">The pool's own.</param>
    /// <param name="cache">The calling thread's; null for none.</param>
    /// <param name="taken">The object.</param>
    /// <returns>Whether there was one.</returns>
    public static bool TryGet(Mempool* pool, MempoolOps* ops, MempoolCache* cache, out void* taken)
    {
        void* one = null;
        if (cache == null)
        {
            bool got = ops->Dequeue(pool, &one, 1) >= 0;
            taken = one;
            return got;
        }
        // Length is at most the threshold, which is below the cache's room; Size is at most half the room.
        if (cache->Length == 0)
        {
            if (ops->Dequeue(pool, Objects(cache), cache->Size) >= 0)
            {
                cache->Length = cache->Size;
            }
            else if (ops->Dequeue(pool, Objects(cache), 1) >= 0)
            {
                cache->Length = 1;
            }
            else
            {
                taken = null;
                return false;
            }
        }
        taken = Objects(cache)[--cache->Length];
        return true;
    }

    /// <summary>Gives an object back.</summary>
    public static void Put(Mempool* pool, MempoolOps* ops, MempoolCache* cache, void* given)
    {
        if (cache == null)
        {
            _ = ops->Enqueue(pool, &given, 1);
            return;
        }
        if (cache->Length >= cache->FlushThreshold)
        {
            // The store has room for all that there are, so that this cannot fail.
            _ = ops->Enqueue(pool, Objects(cache), cache->Length);
            cache->Length = 0;
        }
        Objects(cache)[cache->Length++] = given;
    }

    private static void** Objects(MempoolCache* cache) => (void**)((byte*)cache + MempoolCache.ObjectsOffset);
}
