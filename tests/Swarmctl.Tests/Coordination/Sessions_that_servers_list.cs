using Swarmctl.Coordination;

namespace Swarmctl.Tests.Coordination;

public sealed class Sessions_that_servers_list
{
    [Fact]
    public void Skep_and_followers_of_ZooKeeper_list_them_with_their_timeouts()
    {
        const string dump = "SessionTracker dump:\n0x1a\t30000ms\n0x1b\t10000ms\nephemeral nodes dump:\nSessions with Ephemerals (1):\n0x1a:\n\t/a/lock\n\t/b\n";
        const string cons = " /127.0.0.1:4001[1](queued=0,recved=5,sent=5,sid=0x1b,to=10000)\n\n";
        Assert.Equal(["1a 30000  /a/lock,/b", "1b 10000 127.0.0.1:4001 "], Read(dump, cons));
    }

    [Fact]
    public void A_leader_of_ZooKeeper_lists_them_by_when_they_expire()
    {
        const string dump = """
            SessionTracker dump:
            Session Sets (3)/(2):
            0 expire at Fri Nov 29 12:00:02 UTC 2024:
            1 expire at Fri Nov 29 12:00:12 UTC 2024:
            	0x100003a8c0e0000
            ephemeral nodes dump:
            Sessions with Ephemerals (1):
            0x100003a8c0e0000:
            	/lock
            Connections dump:
            Connections Sets (1)/(1):
            1 expire at Fri Nov 29 12:00:12 UTC 2024:
            	ip: /127.0.0.1:4001 sessionId: 0x100003a8c0e0000
            """;
        Assert.Equal(["100003a8c0e0000   /lock"], Read(dump, ""));
        Assert.Equal(["100003a8c0e0000 4000 127.0.0.1:4001 "], Read("", " /127.0.0.1:4001[1](queued=0,recved=1,sent=1,sid=0x100003a8c0e0000,lop=PING,est=1,to=4000,lcxid=0x0)\n /127.0.0.1:4002[0](queued=0,recved=1,sent=0)\n"));
    }

    private static IEnumerable<string> Read(string dump, string cons) =>
        SessionList.Read(dump, cons).Select(static s => $"{s.Id:x} {s.TimeoutMs} {s.Client} {string.Join(',', s.Ephemerals)}");
}
