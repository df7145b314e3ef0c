using CsCheck;
using Skep.Manager.Allocation;
using static Docker.Swarmkit.V1.PortConfig.Types;

namespace Skep.Manager.Tests.Allocation;

public sealed class NumberingTests
{
    [Theory]
    [InlineData("10.1.2.3/8", "10.0.0.0/8", "10.255.255.255")]
    [InlineData("192.168.1.0/31", "192.168.1.0/31", "192.168.1.1")]
    [InlineData("0.0.0.0/0", "0.0.0.0/0", "255.255.255.255")]
    [InlineData("2001:db8::/64", "2001:db8::/64", "2001:db8::ffff:ffff:ffff:ffff")]
    public void A_subnet_knows_its_first_and_last_address(string text, string whole, string last)
    {
        Subnet subnet = Subnet.Parse(text)!.Value;

        Assert.Equal(whole, subnet.ToString());
        Assert.Equal(last, subnet.Address(subnet.Last));
    }

    [Theory]
    [InlineData("10.0.0.0")]
    [InlineData("10.0.0.0/33")]
    [InlineData("x/8")]
    [InlineData("2001:db8::/129")]
    public void What_is_no_subnet_is_none(string text) => Assert.Null(Subnet.Parse(text));

    [Fact]
    public void A_pool_gives_every_host_address_once_and_a_freed_one_last()
    {
        var pool = new AddressPool(Subnet.Parse("10.9.0.0/29")!.Value);
        List<string> given = [.. Enumerable.Range(0, 6).Select(_ => pool.Subnet.Address(pool.Take()!.Value))];

        Assert.Equal(["10.9.0.1", "10.9.0.2", "10.9.0.3", "10.9.0.4", "10.9.0.5", "10.9.0.6"], given);
        Assert.Null(pool.Take());
        pool.Free(pool.Subnet.NumberOf("10.9.0.4")!.Value);
        Assert.Equal("10.9.0.4", pool.Subnet.Address(pool.Take()!.Value));
    }

    [Fact]
    public void A_pool_and_a_port_table_never_give_twice_what_is_held() =>
        Gen.Int[0, int.MaxValue].Sample(seed =>
        {
            var random = new Random(seed);
            var pool = new AddressPool(Subnet.Parse("10.9.0.0/27")!.Value);
            var ports = new PortTable();
            var addresses = new HashSet<UInt128>();
            var held = new Dictionary<string, HashSet<(Protocol, uint)>>();
            for (int i = 0; i < 200; i++)
            {
                if (random.Next(3) > 0)
                {
                    UInt128? address = pool.Take();
                    Assert.Equal(addresses.Count == 30, address is null);
                    Assert.True(address is null || addresses.Add(address.Value));
                }
                else if (addresses.Count > 0)
                {
                    UInt128 any = addresses.ElementAt(random.Next(addresses.Count));
                    addresses.Remove(any);
                    pool.Free(any);
                }
                string service = "s" + random.Next(8);
                var protocol = (Protocol)random.Next(3);
                if (random.Next(5) == 0)
                {
                    ports.Free(service);
                    held.Remove(service);
                    continue;
                }
                uint asked = 30_000u + (uint)random.Next(20);
                uint? got = random.Next(2) == 0 ? ports.TakeDynamic(service, protocol) : ports.TryTake(service, protocol, asked) ? asked : null;
                if (got is { } port)
                {
                    Assert.DoesNotContain((protocol, port), held.Values.SelectMany(v => v));
                    (held.TryGetValue(service, out HashSet<(Protocol, uint)>? set) ? set : held[service] = []).Add((protocol, port));
                }
                else
                {
                    Assert.Contains((protocol, asked), held.Values.SelectMany(v => v));
                }
            }
        });

    [Fact]
    public void When_all_dynamic_ports_are_in_use_there_is_none()
    {
        var ports = new PortTable();
        for (uint i = PortTable.FirstDynamic; i <= PortTable.LastDynamic; i++)
        {
            Assert.Equal(i, ports.TakeDynamic("a", Protocol.Tcp));
        }

        Assert.Null(ports.TakeDynamic("b", Protocol.Tcp));
    }
}
