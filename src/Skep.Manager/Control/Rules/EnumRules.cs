namespace Skep.Manager.Control.Rules;

/// <summary>Values of enums that a newer client knows and this manager does not would mean nothing here, so they are refused.</summary>
internal static class EnumRules
{
    /// <summary>Refuses a value this version has no name for.</summary>
    public static void CheckKnown<T>(T value, string field)
        where T : struct, Enum
    {
        if (!Enum.IsDefined(value))
        {
            throw Refusal.Invalid($"{field}: {value} is not a value this manager knows");
        }
    }
}
