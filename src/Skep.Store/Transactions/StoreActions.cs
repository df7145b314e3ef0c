using Docker.Swarmkit.V1;
using Skep.Api;
using Skep.Store.Tables;

namespace Skep.Store.Transactions;

/// <summary>Turns a change into the action that the log carries, and back.</summary>
internal static class StoreActions
{
    public static StoreAction Encode(StoreActionKind kind, IStoreObject o)
    {
        var action = new StoreAction { Action = kind };
        switch (o)
        {
            case Node x: action.Node = x; break;
            case Service x: action.Service = x; break;
            case SwarmTask x: action.Task = x; break;
            case Network x: action.Network = x; break;
            case Cluster x: action.Cluster = x; break;
            case Secret x: action.Secret = x; break;
            case Config x: action.Config = x; break;
            case Resource x: action.Resource = x; break;
            case Extension x: action.Extension = x; break;
            case Volume x: action.Volume = x; break;
            default: throw new NotSupportedException($"the store keeps no {o.GetType().Name}");
        }
        return action;
    }

    /// <exception cref="InvalidDataException">The action has no object that this version knows.</exception>
    public static (TableKind Kind, IStoreObject Object) Decode(StoreAction action) => action.TargetCase switch
    {
        StoreAction.TargetOneofCase.Node => (TableKind.Node, action.Node),
        StoreAction.TargetOneofCase.Service => (TableKind.Service, action.Service),
        StoreAction.TargetOneofCase.Task => (TableKind.Task, action.Task),
        StoreAction.TargetOneofCase.Network => (TableKind.Network, action.Network),
        StoreAction.TargetOneofCase.Cluster => (TableKind.Cluster, action.Cluster),
        StoreAction.TargetOneofCase.Secret => (TableKind.Secret, action.Secret),
        StoreAction.TargetOneofCase.Config => (TableKind.Config, action.Config),
        StoreAction.TargetOneofCase.Resource => (TableKind.Resource, action.Resource),
        StoreAction.TargetOneofCase.Extension => (TableKind.Extension, action.Extension),
        StoreAction.TargetOneofCase.Volume => (TableKind.Volume, action.Volume),
        _ => throw new InvalidDataException("a change in the log names no object of a known type"),
    };
}
