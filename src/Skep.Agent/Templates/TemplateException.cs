namespace Skep.Agent.Templates;

/// <summary>A template that cannot be expanded; the message says what is wrong with it.</summary>
internal sealed class TemplateException(string message) : Exception(message);
