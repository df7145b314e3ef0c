using System.Buffers;
using Skep.Coordination.Replication;
using Skep.Coordination.Serving;
using Skep.Jute;

namespace Skep.Coordination.Tests;

/// <summary>One member in a group that a test plays: what it proposes is applied when the test says so.</summary>
internal sealed class FakeGroup : IConsensus, IClientLink
{
    /// <param name="change">What of the member's options is otherwise.</param>
    public FakeGroup(Func<MemberOptions, MemberOptions>? change = null)
    {
        var chance = new Random(1);
        var options = new MemberOptions { NowMs = () => NowMs, WallMs = () => NowMs, Fill = chance.NextBytes, Log = Log };
        Member = new Member(change is null ? options : change(options), this);
    }

    public KeptLog Log { get; } = new();

    public Member Member { get; }

    public long NowMs { get; set; }

    public Standing Standing { get; set; }

    public string Members { get; set; } = "";

    /// <summary>Writes on their way to a leader, here or elsewhere.</summary>
    public Queue<byte[]> Commands { get; } = new();

    /// <summary>What was said to other members beside writes.</summary>
    public List<byte[]> Asides { get; } = [];

    public List<Action<bool>> Reads { get; } = [];

    /// <summary>Whether what clients say cannot be overheard.</summary>
    public bool MayProveByPassword { get; init; } = true;

    void IConsensus.Propose(ReadOnlyMemory<byte> command, Action decided)
    {
        Commands.Enqueue(command.ToArray());
        decided();
    }

    void IConsensus.ReadIndex(Action<bool> done) => Reads.Add(done);

    void IConsensus.HurryCommit(ulong member)
    {
    }

    void IConsensus.SendAside(ulong member, ReadOnlyMemory<byte> bytes)
    {
        if (bytes.Span[0] == WriteQueue.AsideKind)
        {
            byte[] command = new byte[Write.HeadSizeBytes + bytes.Length - 1];
            Write.WriteHead(command, NowMs);
            bytes[1..].CopyTo(command.AsMemory(Write.HeadSizeBytes));
            Commands.Enqueue(command);
        }
        else
        {
            Asides.Add(bytes.ToArray());
        }
    }

    void IClientLink.Wake(bool here)
    {
    }

    public void ApplyAll()
    {
        while (Commands.TryDequeue(out byte[]? command))
        {
            Member.Apply(command);
        }
    }

    public void Tick(int afterMs)
    {
        NowMs += afterMs;
        Member.Tick();
    }

    /// <summary>Connects a client that has its session when this returns.</summary>
    /// <param name="timeoutMs">How long it may be silent.</param>
    /// <param name="again">Whose session it takes up; null for a new one.</param>
    public Connection Connect(int timeoutMs = 10_000, Connection? again = null)
    {
        Connection connection = Begin(new ConnectRequest(0, 0, timeoutMs, again?.SessionId ?? 0, PasswordOf(again), false));
        ApplyAll();
        Assert.Equal(ConnectionState.Open, connection.State);
        Read(connection);
        return connection;
    }

    /// <summary>Connects a client that would rather read than nothing.</summary>
    /// <param name="lastZxid">What it has seen.</param>
    /// <param name="again">Whose session it has; null for none yet.</param>
    public Connection ConnectReadOnly(long lastZxid = 0, Connection? again = null)
    {
        Connection connection = Begin(new ConnectRequest(0, lastZxid, 10_000, again?.SessionId ?? 0, PasswordOf(again), true));
        Read(connection);
        return connection;
    }

    private byte[] PasswordOf(Connection? client) => client is null ? new byte[16] : Member.Look(v => v.Tree.Sessions[client.SessionId].Password);

    private Connection Begin(ConnectRequest request)
    {
        Connection connection = Member.Accept(this, new ConnectionPeer("10.0.0.1", "10.0.0.1:1", [], MayProveByPassword));
        Send(connection, JuteFrame.Make(output => JuteFrame.Put(output, request)));
        return connection;
    }

    public void Ask<T>(Connection connection, int xid, OpCode op, T body) where T : IJuteRecord<T> => Send(connection, JuteFrame.Make(output =>
    {
        JuteFrame.Put(output, new RequestHeader(xid, (int)op));
        JuteFrame.Put(output, body);
    }));

    public void Ping(Connection connection) => Send(connection, JuteFrame.Make(static output => JuteFrame.Put(output, new RequestHeader(-2, (int)OpCode.Ping))));

    /// <summary>Headers of what was sent to a client since the last time.</summary>
    public List<ReplyHeader> Read(Connection connection) => [.. ReadWhole(connection).Select(static answer => answer.Header)];

    /// <summary>What was sent to a client since the last time: headers, and what follows each.</summary>
    public List<(ReplyHeader Header, byte[] Body)> ReadWhole(Connection connection)
    {
        (byte[] buffer, int length) = Member.TakeOutput(connection);
        var rest = new ReadOnlySequence<byte>(buffer, 0, length);
        var answers = new List<(ReplyHeader, byte[])>();
        while (JuteFrame.TryRead(ref rest, JuteFrame.DefaultMaxBytes, out ReadOnlySequence<byte> frame))
        {
            var reader = new JuteReader(frame);
            answers.Add((ReplyHeader.Read(ref reader), frame.Slice(frame.Length - reader.Remaining).ToArray()));
        }
        return answers;
    }

    private void Send(Connection connection, byte[] frame)
    {
        var bytes = new ReadOnlySequence<byte>(frame);
        Member.Receive(connection, ref bytes);
    }
}
