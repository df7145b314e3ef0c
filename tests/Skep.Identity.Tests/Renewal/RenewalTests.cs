using CsCheck;
using Docker.Swarmkit.V1;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;
using Skep.Identity.Renewal;
using Skep.Identity.Tests.Support;

namespace Skep.Identity.Tests.Renewal;

public sealed class RenewalTests
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);
    private static readonly DateTimeOffset Start = new(2026, 1, 1, 0, 0, 0, TimeSpan.Zero);

    [Fact]
    public void A_certificate_is_renewed_between_50_and_80_percent_of_its_life() =>
        Gen.Select(Gen.Int[1, 100_000], Gen.Int).Sample((minutes, seed) =>
        {
            var life = TimeSpan.FromMinutes(minutes);
            var delay = RenewalSchedule.Delay(Start, Start + life, Start, new Random(seed));
            return delay >= life * 0.5 && delay <= life * 0.8;
        });

    [Fact]
    public void What_is_overdue_is_renewed_at_once() =>
        Assert.Equal(TimeSpan.Zero, RenewalSchedule.Delay(Start, Start.AddHours(10), Start.AddHours(8.5), new Random(1)));

    [Fact]
    public void Two_nodes_that_joined_together_do_not_renew_together() =>
        Assert.NotEqual(
            RenewalSchedule.Delay(Start, Start.AddDays(90), Start, new Random(1)),
            RenewalSchedule.Delay(Start, Start.AddDays(90), Start, new Random(2)));

    [Fact]
    public async Task The_renewer_waits_for_half_a_life_and_then_renews()
    {
        using var run = new Run(seed: 3);
        var delay = RenewalSchedule.Delay(run.NotBefore, run.NotAfter, run.Time.GetUtcNow(), new Random(3));

        run.Advance(delay - TimeSpan.FromMinutes(1));
        Assert.Equal(0, run.Calls);
        await run.AdvanceUntilCalledAsync(1, TimeSpan.FromMinutes(1));
        await run.StopAsync();
    }

    [Fact]
    public async Task A_manager_may_ask_for_a_renewal_at_once()
    {
        using var run = new Run();

        run.Renewer.RenewNow();

        await run.CalledAsync(1);
        await run.StopAsync();
    }

    [Fact]
    public async Task A_failed_renewal_is_tried_again_after_5_seconds()
    {
        using var run = new Run { Failing = true };
        run.Renewer.RenewNow();
        await run.CalledAsync(1);

        run.Failing = false;
        await run.AdvanceUntilCalledAsync(2, TimeSpan.FromSeconds(5));
        await run.StopAsync();
    }

    [Fact]
    public async Task A_node_that_is_promoted_renews_until_its_certificate_says_so()
    {
        using var run = new Run();
        run.Renewer.ExpectRole(NodeRole.Manager);
        await run.CalledAsync(1);

        run.NextRole = NodeRole.Manager;
        await run.AdvanceUntilCalledAsync(2, TimeSpan.FromSeconds(5));
        Assert.Equal(NodeRole.Manager, run.Source.Current.Role);
        await run.StopAsync();
    }

    [Fact]
    public async Task A_node_that_has_its_role_already_does_not_renew()
    {
        using var run = new Run();

        run.Renewer.ExpectRole(NodeRole.Worker);

        run.Advance(TimeSpan.FromMinutes(1));
        Assert.Equal(0, run.Calls);
        await run.StopAsync();
    }

    private sealed class Run : IDisposable
    {
        private readonly CancellationTokenSource _stop = new();
        private readonly SemaphoreSlim _called = new(0);
        private readonly TestCluster _cluster;
        private readonly Task _task;
        private int _calls;

        public Run(int seed = 1)
        {
            Time = new FakeTimeProvider(TimeProvider.System.GetUtcNow());
            _cluster = new TestCluster(Time);
            Source = new NodeIdentitySource(_cluster.Issue(NodeRole.Worker, "node"));
            Renewer = new CertificateRenewer(Source, RenewAsync, Time, new Random(seed), NullLogger<CertificateRenewer>.Instance);
            _task = Renewer.RunAsync(_stop.Token);
        }

        public FakeTimeProvider Time { get; }

        public NodeIdentitySource Source { get; }

        public CertificateRenewer Renewer { get; }

        public DateTimeOffset NotBefore => Source.Current.Certificate.NotBefore.ToUniversalTime();

        public DateTimeOffset NotAfter => Source.Current.Certificate.NotAfter.ToUniversalTime();

        public int Calls => Volatile.Read(ref _calls);

        public bool Failing { get; set; }

        public NodeRole NextRole { get; set; } = NodeRole.Worker;

        // Timers reach a day at most, so that a long wait is made of days.
        public void Advance(TimeSpan by)
        {
            for (; by > TimeSpan.FromHours(12); by -= TimeSpan.FromHours(12))
            {
                Time.Advance(TimeSpan.FromHours(12));
            }

            Time.Advance(by);
        }

        public async Task CalledAsync(int times)
        {
            while (Calls < times)
            {
                Assert.True(await _called.WaitAsync(Patience), $"renewal {times} was never asked for");
            }
        }

        // The renewer arms its timer on another thread, so time goes on until it does.
        public async Task AdvanceUntilCalledAsync(int times, TimeSpan step)
        {
            for (var i = 0; i < 2_000 && Calls < times; i++)
            {
                Time.Advance(step);
                await _called.WaitAsync(TimeSpan.FromMilliseconds(10));
            }

            Assert.Equal(times, Calls);
        }

        public async Task StopAsync()
        {
            await _stop.CancelAsync();
            await Assert.ThrowsAnyAsync<OperationCanceledException>(() => _task.WaitAsync(Patience));
        }

        public void Dispose()
        {
            _stop.Dispose();
            _called.Dispose();
        }

        private Task<NodeIdentity> RenewAsync(CancellationToken ct)
        {
            try
            {
                if (Failing)
                {
                    throw new InvalidOperationException("no manager answers");
                }

                Source.Replace(_cluster.Issue(NextRole, "node"));
                return Task.FromResult(Source.Current);
            }
            finally
            {
                Interlocked.Increment(ref _calls);
                _called.Release();
            }
        }
    }
}
