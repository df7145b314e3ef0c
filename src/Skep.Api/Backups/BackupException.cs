namespace Skep.Api.Backups;

/// <summary>A backup that cannot be read; the message says what is wrong with it and what to do.</summary>
public sealed class BackupException(string message, Exception? inner = null) : Exception(message, inner);
