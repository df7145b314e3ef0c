using Skep.DataPlane.Balancing.Configuration;
using Skep.DataPlane.Balancing.Pipeline;
using Skep.DataPlane.Capture;
using Skep.DataPlane.Packets;
using Skep.DataPlane.Workers;

namespace Skep.DataPlane.Tests.Workers;

public sealed class Several_workers
{
    private static readonly IpAddr Backend = Rig.Backend4(1);
    private static readonly byte[] Opening = Frames.Frame(Frames.Tcp(Rig.Client4, 1, Rig.Vip4, 80, TcpFlags.Syn));
    private static readonly byte[] Answer = Frames.Frame(Frames.Tcp(Backend, 8080, Rig.Client4, 1, TcpFlags.Ack), Rig.MacOf(Backend), Rig.BackMac);

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(4)]
    [InlineData(5)]
    public void Wherever_frames_come_in_the_same_leaves_as_from_one_worker(int seed)
    {
        List<byte[]>? ofOne = null;
        foreach (int workers in (int[])[1, 2, 3, 4])
        {
            using var crew = new Crew(workers, Spreading.Config(static _ => true));
            var traffic = new Spreading(crew, seed);
            for (int step = 0; step < 600; step++)
            {
                traffic.Step();
            }
            ofOne ??= traffic.Left;
            Assert.Equal(ofOne, traffic.Left);
            long handed = crew.Workers.Sum(static w => w.Counters.HandedOver);
            Assert.Equal(workers > 1, handed > 0);
            Assert.Equal(handed, crew.Workers.Sum(static w => w.Counters.TakenOver));
            Assert.All(Enum.GetValues<DropReason>(), reason => Assert.Equal(0, crew.Workers.Sum(w => w.Counters.Dropped(reason))));
        }
    }

    [Fact]
    public void A_clients_segments_stay_with_their_backend_when_they_move_to_another_queue_and_the_backends_changed()
    {
        ServiceConfig service = Rig.Service(BalanceMode.Nat, 4);
        using var crew = new Crew(2, Rig.Config(service));
        for (ushort port = 1; port <= 50; port++)
        {
            crew.Replace(Rig.Config(service));
            IpAddr backend = Rig.Headers(crew.ToBack(0, Frames.Frame(Frames.Tcp(Rig.Client4, port, Rig.Vip4, 80, TcpFlags.Syn)))!).Destination;
            crew.Replace(Rig.Config(service with { Backends = [.. service.Backends.Select(b => b with { State = b.Address == backend ? BackendState.Draining : BackendState.Active })] }));
            Assert.Equal(backend, Rig.Headers(crew.ToBack(1, Frames.Frame(Frames.Tcp(Rig.Client4, port, Rig.Vip4, 80, TcpFlags.Ack)))!).Destination);
        }
        Assert.Equal((50, 50), (crew.Workers[1].Counters.HandedOver, crew.Workers[0].Counters.TakenOver));
        Assert.Equal((50, 0), (crew.Workers[0].Flows, crew.Workers[1].Flows));
    }

    [Fact]
    public void What_nobody_knows_is_served_where_it_came_in()
    {
        using var crew = new Crew(3, Rig.Config(Rig.Service(BalanceMode.Nat, 4)));
        Assert.NotNull(crew.ToBack(2, Frames.Frame(Frames.Tcp(Rig.Client4, 1, Rig.Vip4, 80, TcpFlags.Ack))));
        Assert.NotNull(crew.ToFront(1, Frames.Frame(Frames.Tcp(Backend, 8080, IpAddr.Parse("203.0.113.5"), 999, TcpFlags.Ack), Rig.MacOf(Backend), Rig.BackMac)));
        Assert.Equal(0, crew.Workers.Sum(static w => w.Counters.HandedOver));
        Assert.Equal(1, crew.Workers[2].Flows);
    }

    [Fact]
    public void With_direct_return_nothing_is_handed_over()
    {
        using var crew = new Crew(2, Rig.Config(Rig.Service(BalanceMode.Dsr, 4)));
        for (ushort port = 1; port <= 100; port++)
        {
            foreach (TcpFlags flags in (TcpFlags[])[TcpFlags.Syn, TcpFlags.Ack, TcpFlags.Ack | TcpFlags.Fin])
            {
                Assert.NotNull(crew.ToBack(port % 2, Frames.Frame(Frames.Tcp(Rig.Client4, port, Rig.Vip4, 80, flags))));
            }
        }
        Assert.Equal(0, crew.Workers.Sum(static w => w.Counters.HandedOver));
    }

    [Fact]
    public void More_than_a_busy_worker_takes_is_dropped_and_counted()
    {
        const int answers = 300, fit = 256;
        using var crew = new Crew(2, Rig.Config(Rig.Service(BalanceMode.Nat, 1)));
        Assert.NotNull(crew.ToBack(0, Opening));
        for (int i = 0; i < answers; i++)
        {
            Assert.True(crew.Backs[1].Inject(Answer));
        }
        while (crew.Workers[1].RunOnce() > 0)
        {
        }
        BalancerCounters counters = crew.Workers[1].Counters;
        Assert.Equal((fit, answers - fit), (counters.HandedOver, counters.Dropped(DropReason.PeerFull)));
        crew.Rest();
        Assert.Equal((fit, fit), (crew.Workers[0].Counters.TakenOver, crew.Workers[0].Counters.Returned));
    }

    [Fact]
    public void What_the_kernel_asked_a_backend_comes_back_to_it_by_whichever_worker()
    {
        using var crew = new Crew(2, Rig.Config(Rig.Service(BalanceMode.Nat, 1)));
        byte[] frame = Frames.Frame(Frames.Tcp(Backend, 8080, IpAddr.Parse("10.0.0.1"), 7, TcpFlags.Ack), Rig.MacOf(Backend), Rig.BackMac);
        for (int worker = 0; worker < 2; worker++)
        {
            Assert.Null(crew.ToFront(worker, frame));
            Assert.Equal(frame, crew.Kernels[worker].Take());
        }
    }

    [Fact]
    public void One_worker_asks_for_neighbours_and_all_hear_the_answer()
    {
        using var crew = new Crew(2, Rig.Config(Rig.Service(BalanceMode.Nat, 1)), learn: false);
        crew.Workers[1].RunOnce();
        Assert.Null(crew.Backs[1].Take());
        crew.Workers[0].RunOnce();
        Assert.NotNull(crew.Fronts[0].Take());
        Assert.NotNull(crew.Backs[0].Take());
        Assert.True(crew.Backs[1].Inject(Frames.Arp(2, Rig.MacOf(Backend), Backend, Rig.BackMac, IpAddr.Parse("10.0.0.1"), Rig.BackMac)));
        crew.Workers[1].RunOnce();
        Assert.Equal(Rig.MacOf(Backend), MacAddress.Read(crew.ToBack(0, Opening)!));
    }

    [Fact]
    public void A_capture_of_all_sees_a_frame_that_was_handed_over_once_as_it_came_and_once_as_it_left()
    {
        using var crew = new Crew(2, Rig.Config(Rig.Service(BalanceMode.Nat, 1)));
        Assert.NotNull(crew.ToBack(0, Opening));
        using var taps = new CaptureTaps(2, new CaptureFilter(), 2_000, TimeProvider.System);
        for (int i = 0; i < 2; i++)
        {
            ((IBalancerWorker)crew.Workers[i]).CaptureBy(taps[i]);
        }
        byte[] left = crew.ToFront(1, Answer)!;
        Assert.True(taps.TryRead(out Captured came));
        Assert.True(taps.TryRead(out Captured went));
        Assert.False(taps.TryRead(out _));
        Assert.Equal((1, false), (came.Port, came.IsOutgoing));
        Assert.Equal(Answer, came.Bytes);
        Assert.Equal((0, true), (went.Port, went.IsOutgoing));
        Assert.Equal(left, went.Bytes);
    }
}
