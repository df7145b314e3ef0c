using Skep.V1;

namespace Skep.Api;

/// <summary>How the managers fare, in a sentence.</summary>
public static class ManagersSentence
{
    /// <summary>For instance "2 of 3 managers up: one more failure stops writes".</summary>
    /// <param name="status">As a manager answered it.</param>
    public static string Of(ManagersStatus status)
    {
        ArgumentNullException.ThrowIfNull(status);
        List<ManagerMember> voters = [.. ManagersQuorum.Voters(status)];
        if (voters.Count == 0)
        {
            return $"No managers known: {status.Why}";
        }
        int up = voters.Count(static m => m.Reachable);
        return $"{up} of {voters.Count} managers up: {Rest(status, voters.Count, voters.Count - up)}";
    }

    private static string Rest(ManagersStatus status, int voters, int missing)
    {
        if (!status.HasQuorum)
        {
            return missing == 0
                ? "no quorum yet, a change of the managers is under way"
                : $"no quorum. Writes wait for {ManagersQuorum.Wanted(status)}; if they are lost for good: {ManagersQuorum.ForceFlag} on this machine";
        }
        if (status.Leader.Length == 0)
        {
            return "no leader yet, an election is under way";
        }
        string more = missing > 0 ? "more " : "";
        return status.FailuresSurvived switch
        {
            0 when voters == 1 => "its failure stops writes; with three managers one failure is survived",
            0 => $"one {more}failure stops writes",
            1 => $"one {more}failure is survived",
            var n => $"{ManagersQuorum.Number((int)n)} {more}failures are survived",
        };
    }
}
