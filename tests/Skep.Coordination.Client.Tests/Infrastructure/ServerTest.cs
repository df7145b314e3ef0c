using System.Text;

namespace Skep.Coordination.Client.Tests.Infrastructure;

/// <summary>A test with a part of the server's tree of its own.</summary>
public abstract class ServerTest(ServerFixture fixture) : IAsyncLifetime
{
    private readonly List<IAsyncDisposable> _open = [];

    /// <summary>The node that the test's clients have as their root.</summary>
    protected string Root { get; } = $"/client-{Guid.NewGuid():N}";

    /// <summary>All servers, as a connect string.</summary>
    protected string ConnectString => fixture.Server.ConnectString;

    /// <summary>One of the servers.</summary>
    protected string ServerAddress => Servers[0];

    private string[] Servers => ConnectString.Split(',');

    private protected CuttableProxy Proxy { get; private set; } = null!;

    public async ValueTask InitializeAsync()
    {
        Proxy = new CuttableProxy(ServerAddress);
        _open.Add(Proxy);
        await using CoordinationClient client = await CoordinationClient.ConnectAsync(Options([ServerAddress]) with { Chroot = "" });
        await client.CreateAsync(Root);
    }

    public async ValueTask DisposeAsync()
    {
        foreach (IAsyncDisposable open in Enumerable.Reverse(_open))
        {
            await open.DisposeAsync();
        }
        GC.SuppressFinalize(this);
    }

    private protected CoordinationClientOptions Options(IReadOnlyList<string> servers) => new()
    {
        Servers = servers,
        Chroot = Root,
        SessionTimeoutMs = 10_000,
        ConnectTimeout = TimeSpan.FromSeconds(60),
    };

    /// <summary>A client right at the servers.</summary>
    private protected Task<CoordinationClient> ConnectAsync(Func<CoordinationClientOptions, CoordinationClientOptions>? change = null) => ConnectToAsync(Servers, change);

    /// <summary>A client whose connection the test can cut.</summary>
    private protected Task<CoordinationClient> ConnectByProxyAsync(Func<CoordinationClientOptions, CoordinationClientOptions>? change = null) => ConnectToAsync([Proxy.Address], change);

    /// <summary>
    /// Has a client's server take in what others have done: with several servers each answers from what it has, so that one client may
    /// read what another has overwritten already.
    /// </summary>
    private protected static Task SeesOthers(CoordinationClient client) => client.SyncAsync("/").Within("its server has what others have done");

    private protected static byte[] Bytes(string text) => Encoding.UTF8.GetBytes(text);

    private protected static string Text(ReadOnlyMemory<byte> bytes) => Encoding.UTF8.GetString(bytes.Span);

    private protected T Open<T>(T disposable) where T : IAsyncDisposable
    {
        _open.Add(disposable);
        return disposable;
    }

    private async Task<CoordinationClient> ConnectToAsync(IReadOnlyList<string> servers, Func<CoordinationClientOptions, CoordinationClientOptions>? change)
    {
        CoordinationClientOptions options = Options(servers);
        return Open(await CoordinationClient.ConnectAsync(change is null ? options : change(options)).Within("client connects"));
    }
}
