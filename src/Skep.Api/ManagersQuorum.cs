using Skep.V1;

namespace Skep.Api;

/// <summary>What follows from which managers answer: whether writes go on, and how many more failures they survive.</summary>
public static class ManagersQuorum
{
    /// <summary>How a command names itself to whoever lost the others for good.</summary>
    public const string ForceFlag = "swarmd --force-new-cluster";

    /// <summary>The members that vote, and while a change is under way those that leave.</summary>
    public static IEnumerable<ManagerMember> Voters(ManagersStatus status)
    {
        ArgumentNullException.ThrowIfNull(status);
        return status.Members.Where(static m => m.Kind != ManagerMember.Types.Kind.Learner);
    }

    /// <summary>Fills in what follows from <see cref="ManagersStatus.Members"/>: quorum, failures survived, who is missing, why and what would mend it.</summary>
    /// <param name="status">With its members; changed.</param>
    public static ManagersStatus Conclude(ManagersStatus status)
    {
        ArgumentNullException.ThrowIfNull(status);

        // While a change is under way both those who stay and those of before must agree.
        List<ManagerMember> all = [.. Voters(status)];
        List<ManagerMember> staying = [.. all.Where(static m => m.Kind == ManagerMember.Types.Kind.Voter)];
        int spare = Math.Min(Spare(all), Spare(staying));
        status.HasQuorum = spare >= 0;
        status.FailuresSurvived = (uint)Math.Max(0, spare);
        status.Missing.Clear();
        status.Missing.AddRange(all.Where(static m => !m.Reachable).Select(static m => m.NodeId.Length > 0 ? m.NodeId : m.RaftId.ToString("x", System.Globalization.CultureInfo.InvariantCulture)));
        (status.Why, status.Mend) = ("", "");
        if (all.Count == 0)
        {
            status.Why = "this manager is not among the others yet";
            status.Mend = "see to it that the manager it joins is up; it goes on trying";
        }
        else if (!status.HasQuorum)
        {
            int up = all.Count(static m => m.Reachable);
            status.Why = $"{up} of {all.Count} managers {(up == 1 ? "answers" : "answer")} and {Majority(all.Count)} are needed";
            status.Mend = $"start {Wanted(status)} again; if they are lost for good, stop one manager that is left and start it as {ForceFlag}";
        }
        return status;
    }

    /// <summary>Of how many voters the majority is how many.</summary>
    public static int Majority(int voters) => (voters / 2) + 1;

    /// <summary>The missing voters of whom enough must come back, in words: "a or b", "a and b", "two of a, b and c".</summary>
    public static string Wanted(ManagersStatus status)
    {
        List<ManagerMember> all = [.. Voters(status)];
        List<string> missing = [.. all.Where(static m => !m.Reachable).Select(Name)];
        int needed = Math.Max(1, Majority(all.Count) - (all.Count - missing.Count));
        return missing.Count <= 1 ? string.Concat(missing)
            : needed == 1 ? Join(missing, "or")
            : needed >= missing.Count ? Join(missing, "and")
            : $"{Number(needed)} of {Join(missing, "and")}";
    }

    /// <summary>A small number as a word.</summary>
    internal static string Number(int n) => n switch { 1 => "one", 2 => "two", 3 => "three", _ => n.ToString(System.Globalization.CultureInfo.InvariantCulture) };

    private static int Spare(List<ManagerMember> voters) => voters.Count(static m => m.Reachable) - Majority(voters.Count);

    private static string Name(ManagerMember m)
    {
        string name = m.Hostname.Length > 0 ? m.Hostname : m.NodeId.Length > 0 ? m.NodeId : m.RaftId.ToString("x", System.Globalization.CultureInfo.InvariantCulture);
        return m.Address.Length > 0 ? $"{name} ({m.Address})" : name;
    }

    private static string Join(List<string> words, string last) => $"{string.Join(", ", words[..^1])} {last} {words[^1]}";
}
