namespace Skep.DataPlane.Telemetry;

/// <summary>What a worker tells of the packets it sees.</summary>
/// <param name="Traffic">Its own sketch of who sends most.</param>
/// <param name="Clients">Whose clients are whose; shared by the workers.</param>
internal sealed record PipelineTelemetry(WorkerTelemetry Traffic, ClientRegister Clients);
