namespace Skep.Bench.Coordination;

/// <summary>What a table needs: the contenders asked for, each in turn, and the client.</summary>
internal sealed record Rig(Options Options, LoadProgram Load, CancellationToken Ct)
{
    /// <summary>Ours first, each ready for clients.</summary>
    public async Task<Contenders> StartAsync(int members, bool linearizable = false)
    {
        var contenders = new Contenders();
        try
        {
            if (Options.RunsSkep)
            {
                contenders.Add(await Ours.StartAsync(Options.Bin, members, linearizable: false, Ct));
                if (linearizable)
                {
                    contenders.Add(await Ours.StartAsync(Options.Bin, members, linearizable: true, Ct));
                }
            }
            if (Options.RunsZooKeeper)
            {
                contenders.Add(new ZooKeeper(members));
            }
            foreach (Contender contender in contenders)
            {
                await contender.ReadyAsync(Load, Ct);
            }
            return contenders;
        }
        catch
        {
            await contenders.DisposeAsync();
            throw;
        }
    }
}

/// <summary>Contenders that end together.</summary>
internal sealed class Contenders : List<Contender>, IAsyncDisposable
{
    public async ValueTask DisposeAsync()
    {
        foreach (Contender contender in this)
        {
            await contender.DisposeAsync();
        }
    }
}
