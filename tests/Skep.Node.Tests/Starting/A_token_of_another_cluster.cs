using Skep.Identity.Certificates;
using Skep.Identity.Tokens;

namespace Skep.Node.Tests.Starting;

/// <summary>A node that has a cluster is told when its flags name another one.</summary>
public sealed class A_token_of_another_cluster
{
    private static readonly RootCa Root = RootCa.Create(TimeProvider.System);
    private static readonly RootCa Other = RootCa.Create(TimeProvider.System);

    [Fact]
    public void Is_told_from_ones_own()
    {
        Assert.False(NodeHost.IsForAnother(Root, Options(JoinToken.Generate(Root).ToString())));
        Assert.True(NodeHost.IsForAnother(Root, Options(JoinToken.Generate(Other).ToString())));
    }

    [Fact]
    public void Needs_a_token_to_be_seen() => Assert.False(NodeHost.IsForAnother(Root, Options(null)));

    private static NodeOptions Options(string? token) => new() { StateDirectory = "unused", JoinAddress = "127.0.0.1:4242", JoinToken = token };
}
