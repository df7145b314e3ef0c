using System.Text.Json.Serialization;

namespace Skep.Agent.Executors.Docker;

[JsonSerializable(typeof(Dictionary<string, string[]>))]
internal sealed partial class EngineJson : JsonSerializerContext;
