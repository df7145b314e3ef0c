using Skep.Coordination.Snapshots;
using Skep.Coordination.Tree;

namespace Skep.Simulation;

/// <summary>A tree in a snapshot, as the bytes that the service writes.</summary>
internal sealed class TreeState : NodeState
{
    private readonly byte[] _bytes;

    public TreeState(TreeSnapshot tree, ulong digest)
    {
        using var output = new MemoryStream();
        tree.WriteTo(output);
        _bytes = output.ToArray();
        Digest = digest;
    }

    public static TreeState Empty { get; } = Begin();

    public Stream Open() => new MemoryStream(_bytes, writable: false);

    public override NodeState Clone() => this;

    private static TreeState Begin()
    {
        var tree = ZnodeTree.New();
        return new TreeState(tree.Capture(), 1);
    }
}
