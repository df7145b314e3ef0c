using Skep.DataPlane.Health;

namespace Skep.DataPlane.Tests.Health;

public sealed class Belief_in_backends
{
    private static readonly HealthCheckConfig Check = new(HealthCheckKind.Tcp, 0, "/", TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(1), Fall: 3, Rise: 2);

    [Fact]
    public void One_that_was_never_looked_at_is_taken_for_up()
    {
        var health = new BackendHealth(Check);
        Assert.True(health is { IsUp: true, IsUnknown: true });
    }

    [Fact]
    public void The_first_look_settles_it()
    {
        var health = new BackendHealth(Check);
        Assert.True(health.Observe("refused"));
        Assert.True(health is { IsUp: false, IsUnknown: false, Why: "refused" });
    }

    [Fact]
    public void It_takes_several_failures_in_a_row_to_fall_and_several_successes_to_rise()
    {
        var health = new BackendHealth(Check);
        bool?[] heard = [true, false, false, true, false, false, false, true, false, true, true];
        bool[] expected = [true, true, true, true, true, true, false, false, false, false, true];
        Assert.Equal(expected, heard.Select(well =>
        {
            bool before = health.IsUp;
            Assert.Equal(health.Observe(well == true ? null : "refused"), before != health.IsUp);
            return health.IsUp;
        }));
        Assert.Equal("", health.Why);
    }
}
