using System.IO.Pipelines;

namespace Skep.Node.Authority;

/// <summary>Two halves of a connection put together.</summary>
internal sealed record DuplexPipe(PipeReader Input, PipeWriter Output) : IDuplexPipe;
