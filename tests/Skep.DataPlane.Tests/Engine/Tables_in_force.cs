using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;
using Skep.DataPlane.Balancing.Configuration;
using Skep.DataPlane.Engine;
using Skep.DataPlane.Health;
using Skep.DataPlane.Packets;
using Skep.DataPlane.Telemetry;

namespace Skep.DataPlane.Tests.Engine;

public sealed class Tables_in_force : IAsyncDisposable
{
    private readonly TableKeeper _keeper;

    public Tables_in_force()
    {
        var time = new FakeTimeProvider();
        _keeper = new TableKeeper(Rig.Interfaces, new TableTelemetry(new ClientRegister(time), static _ => (0, 0)), time, NullLogger.Instance);
    }

    public ValueTask DisposeAsync() => _keeper.DisposeAsync();

    [Fact]
    public void Each_is_newer_than_the_one_before()
    {
        Assert.Equal(7UL, _keeper.Apply(Table(7, 1)));
        Assert.Equal(8UL, _keeper.Apply(Table(0, 2)));
        foreach (ulong late in (ulong[])[8, 3])
        {
            Assert.Contains($"table {late} is not newer than table 8", Assert.Throws<StaleTableException>(() => _keeper.Apply(Table(late, 3))).Message, StringComparison.Ordinal);
        }
        Assert.Equal(2, _keeper.Tables.Current.Config.Services.Single().Backends.Count);
    }

    [Fact]
    public void One_that_cannot_be_changes_nothing()
    {
        _keeper.Apply(Table(1, 2));
        WantedTable wrong = Table(2, 1);
        wrong = wrong with { Services = [.. wrong.Services, .. wrong.Services] };
        Assert.Throws<BalancerConfigException>(() => _keeper.Apply(wrong));
        Assert.Equal((1UL, 2), (_keeper.Wanted.Version, _keeper.Tables.Current.Config.Services.Single().Backends.Count));
    }

    [Fact]
    public void A_service_that_did_not_change_keeps_its_hash_table()
    {
        ServiceConfig one = Rig.Service(BalanceMode.Nat, 3), other = one with { Name = "other", Port = 81 };
        _keeper.Apply(new WantedTable(1, [(one, null), (other, null)], [], 0));
        var before = _keeper.Tables.Current.Services.Find(new Endpoint(Rig.Vip4, 80, 6))!.Table;
        _keeper.Apply(new WantedTable(2, [(one, null), (other with { Backends = [.. other.Backends.Skip(1)] }, null)], [], 0));
        Assert.Same(before, _keeper.Tables.Current.Services.Find(new Endpoint(Rig.Vip4, 80, 6))!.Table);
        _keeper.Apply(new WantedTable(3, [(one, null)], [], 99));
        Assert.NotSame(before, _keeper.Tables.Current.Services.Find(new Endpoint(Rig.Vip4, 80, 6))!.Table);
    }

    [Fact]
    public async Task A_backend_that_is_down_is_taken_for_up_when_it_is_looked_at_otherwise()
    {
        await using var keeper = new TableKeeper([new([LinkAddress.Parse("127.0.0.2/8")])], new TableTelemetry(new ClientRegister(TimeProvider.System), static _ => (0, 0)), TimeProvider.System, NullLogger.Instance);
        var service = new ServiceConfig("web", Rig.Vip4, 80, IpProtocol.Tcp, BalanceMode.Nat, [new BackendConfig(IpAddr.Parse("127.0.0.1"), 80)]);
        var check = new HealthCheckConfig(HealthCheckKind.Tcp, 1, "/", TimeSpan.FromMinutes(1), TimeSpan.FromMinutes(1), 1, 1);
        BackendState State() => keeper.Tables.Current.Config.Services[0].Backends[0].State;
        keeper.Apply(new WantedTable(1, [(service, check)], [], 0));
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(30));
        while (State() != BackendState.Down)
        {
            Assert.False(patience.IsCancellationRequested, "nobody listens on port 1, and it was not found to be down within 30 s");
            await Task.Yield();
        }
        keeper.Apply(new WantedTable(2, [(service, check with { Fall = 2 })], [], 0));
        keeper.Apply(new WantedTable(3, [(service, null)], [], 0));
        Assert.Equal(BackendState.Active, State());
    }

    private static WantedTable Table(ulong version, int backends) => new(version, [(Rig.Service(BalanceMode.Nat, backends), null)], [], 0);
}
