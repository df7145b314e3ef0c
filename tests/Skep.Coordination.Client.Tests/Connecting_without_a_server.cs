using Skep.Coordination.Client.Session;

namespace Skep.Coordination.Client.Tests;

public sealed class Connecting_without_a_server
{
    [Theory]
    [InlineData("a", "a:2181", "")]
    [InlineData("a:1,b:2/x/y", "a:1 b:2", "/x/y")]
    [InlineData(" a:1 , b , ", "a:1 b:2181", "")]
    [InlineData("a/", "a:2181", "")]
    [InlineData("[::1]:5,[::2],fe80::3", "[::1]:5 [::2]:2181 [fe80::3]:2181", "")]
    public void A_connect_string_names_servers_and_a_root(string text, string servers, string root)
    {
        CoordinationClientOptions options = CoordinationClientOptions.Parse(text);
        Assert.Equal(servers, string.Join(' ', options.Servers));
        Assert.Equal(root, options.Chroot);
    }

    [Theory]
    [InlineData("")]
    [InlineData("/x")]
    [InlineData("a:0")]
    [InlineData("a:65536")]
    [InlineData("a:x")]
    [InlineData(":1")]
    [InlineData("a/x/")]
    [InlineData("a//x")]
    public void What_is_no_connect_string_is_refused(string text) => Assert.Throws<FormatException>(() => CoordinationClientOptions.Parse(text));

    [Fact]
    public void All_servers_have_their_turn_before_one_has_its_second()
    {
        var order = new ServerOrder(["a:1", "b:1", "c:1"], new Random(1));
        string[] first = [.. Enumerable.Range(0, 3).Select(_ => order.Next().Host)];
        Assert.Equal(["a", "b", "c"], first.Order());
        Assert.Equal(first, Enumerable.Range(0, 3).Select(_ => order.Next().Host));
    }

    [Fact]
    public void Delays_grow_to_a_bound_and_differ_by_their_jitter()
    {
        Assert.Equal(TimeSpan.Zero, Backoff.Delay(0, 1));
        Assert.Equal(25, Backoff.Delay(1, 0).TotalMilliseconds);
        Assert.Equal(50, Backoff.Delay(1, 1).TotalMilliseconds);
        Assert.Equal(200, Backoff.Delay(3, 1).TotalMilliseconds);
        Assert.Equal(1000, Backoff.Delay(int.MaxValue, 1).TotalMilliseconds);
    }

    [Theory]
    [InlineData(0, 0, "Wait", 10_001)]
    [InlineData(9_999, 9_999, "Wait", 2)]
    [InlineData(10_000, 10_000, "Ping", 10_001)]
    [InlineData(500, 19_000, "Wait", 1_001)]
    [InlineData(500, 20_000, "GiveUp", 0)]
    public void A_ping_is_due_after_a_third_of_the_timeout_and_patience_ends_after_two(int sinceSentMs, int sinceAnswerMs, string step, int waitMs)
    {
        var next = KeepAlive.Next(TimeSpan.FromMilliseconds(sinceSentMs), TimeSpan.FromMilliseconds(sinceAnswerMs), TimeSpan.FromSeconds(30));
        Assert.Equal((step, waitMs), (next.Step.ToString(), (int)next.Wait.TotalMilliseconds));
    }

    [Fact]
    public void A_root_is_put_before_paths_and_taken_off_answers()
    {
        var root = new Chroot("/app");
        Assert.Equal("/app/x", root.Full("/x"));
        Assert.Equal("/app", root.Full("/"));
        Assert.Equal("/x", root.Short("/app/x"));
        Assert.Equal("/", root.Short("/app"));
        Assert.Equal("/apple", root.Short("/apple"));
    }
}
