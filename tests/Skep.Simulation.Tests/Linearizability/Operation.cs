namespace Skep.Simulation;

/// <summary>
/// What a client saw of one operation on one register.
/// </summary>
/// <param name="IsPut">A write of <see cref="Value"/>; else a read that returned it.</param>
/// <param name="Value">Written or read; every write's value is another, 0 is the register's first.</param>
/// <param name="Began">When it was asked, in steps.</param>
/// <param name="Ended">When it was answered; null when it never was, and may have happened or not.</param>
internal sealed record Operation(bool IsPut, int Value, long Began, long? Ended);
