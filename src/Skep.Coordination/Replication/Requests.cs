using Skep.Jute;

namespace Skep.Coordination.Replication;

/// <summary>Which requests go through the group, and how their bodies are read.</summary>
internal static class Requests
{
    /// <summary>Does it change the tree, or who the session is, so that the group must agree on it?</summary>
    public static bool IsWrite(OpCode op) => op is OpCode.Create or OpCode.Create2 or OpCode.CreateContainer or OpCode.CreateTtl
        or OpCode.Delete or OpCode.SetData or OpCode.SetAcl or OpCode.Multi or OpCode.CloseSession;

    /// <summary>Reads a single write's body.</summary>
    /// <exception cref="JuteFormatException">The bytes are no such request.</exception>
    public static MultiOp ReadWrite(OpCode op, ref JuteReader reader)
    {
        switch (op)
        {
            case OpCode.SetAcl:
                var acl = SetAclRequest.Read(ref reader);
                return new MultiOp(op, acl.Path, null, acl.Acl, 0, 0, acl.Version);
            case OpCode.DeleteContainer:
                return new MultiOp(op, PathRequest.Read(ref reader).Path, null, [], 0, 0, -1);
            default:
                return MultiOp.Read(op, ref reader);
        }
    }

    /// <summary>Can every member read a write's body? Looked at before it goes to them.</summary>
    public static bool CanRead(OpCode op, ReadOnlyMemory<byte> body)
    {
        try
        {
            var reader = new JuteReader(body);
            if (op == OpCode.Multi)
            {
                return MultiRequest.Read(ref reader).Ops.All(static part => part.Type is not (OpCode.GetData or OpCode.GetChildren));
            }
            else if (op != OpCode.CloseSession)
            {
                _ = ReadWrite(op, ref reader);
            }
            return true;
        }
        catch (JuteFormatException)
        {
            return false;
        }
    }
}
