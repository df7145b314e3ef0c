using Docker.Swarmkit.V1;
using Google.Protobuf;
using Skep.Api;
using Extension = Docker.Swarmkit.V1.Extension;
using Object = Docker.Swarmkit.V1.Object;

namespace Skep.Manager.Watch;

/// <summary>A store object as a watch shows it: without what no client is shown, as in the Control API.</summary>
internal static class WatchedObject
{
    public static Object Of(IStoreObject o) => o switch
    {
        Node n => new() { Node = n },
        Service s => new() { Service = s },
        Network n => new() { Network = n },
        SwarmTask t => new() { Task = t },
        Cluster c => new() { Cluster = WithoutKeys(c) },
        Secret s => new() { Secret = WithoutData(s) },
        Resource r => new() { Resource = r },
        Extension e => new() { Extension = e },
        Config c => new() { Config = c },
        Volume v => new() { Volume = v },
        _ => new(),
    };

    private static Secret WithoutData(Secret secret)
    {
        if (secret.Spec is null)
        {
            return secret;
        }
        Secret shown = secret.Clone();
        shown.Spec.Data = ByteString.Empty;
        return shown;
    }

    private static Cluster WithoutKeys(Cluster cluster)
    {
        Cluster shown = cluster.Clone();
        shown.UnlockKeys.Clear();
        shown.NetworkBootstrapKeys.Clear();
        if (shown.RootCa is { } root)
        {
            root.CaKey = ByteString.Empty;
            if (root.RootRotation is { } rotation)
            {
                rotation.CaKey = ByteString.Empty;
            }
        }
        if (shown.Spec?.CaConfig is { } ca)
        {
            ca.SigningCaKey = ByteString.Empty;
        }
        return shown;
    }
}
