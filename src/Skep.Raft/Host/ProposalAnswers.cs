namespace Skep.Raft;

/// <summary>
/// Tells callers what became of their proposals, on other threads than the group's. Those of one turn are told together: a change
/// of threads for each would cost more than all else about it.
/// </summary>
internal sealed class ProposalAnswers
{
    /// <summary>One caller that blocks holds up no more than these.</summary>
    private const int MaxTogether = 64;

    private Together? _together;

    public void Add(Proposal proposal, ulong index) => Add(proposal, index, null);

    public void Add(Proposal proposal, Exception error) => Add(proposal, 0, error);

    /// <summary>Lets go of what was added.</summary>
    public void Release()
    {
        if (_together is { } together)
        {
            _together = null;
            ThreadPool.UnsafeQueueUserWorkItem(together, preferLocal: true);
        }
    }

    private void Add(Proposal proposal, ulong index, Exception? error)
    {
        _together ??= new Together();
        _together.Answers.Add((proposal, index, error));
        if (_together.Answers.Count == MaxTogether)
        {
            Release();
        }
    }

    private sealed class Together : IThreadPoolWorkItem
    {
        public List<(Proposal Proposal, ulong Index, Exception? Error)> Answers { get; } = [];

        public void Execute()
        {
            foreach (var (proposal, index, error) in Answers)
            {
                if (error is null)
                {
                    proposal.TrySetResult(index);
                }
                else
                {
                    proposal.TrySetException(error);
                }
            }
        }
    }
}
