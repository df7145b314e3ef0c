using System.Net;
using System.Text.Json;
using Docker.DotNet;

namespace Skep.Agent.Executors.Docker;

/// <summary>The engine answered that it will not; the message is its own words.</summary>
internal sealed class EngineException(HttpStatusCode statusCode, string message, Exception? cause = null) : Exception(message, cause)
{
    // What an engine says while it goes down or its containerd is not there.
    private static readonly string[] PassingWords =
    [
        "is shutting down", "transport is closing", "error while dialing", "context canceled",
        "daemon is not ready", "containerd is not", "ttrpc: closed",
    ];

    public HttpStatusCode StatusCode => statusCode;

    /// <summary>Whether the same request may well be granted later.</summary>
    public bool IsPassing => statusCode is HttpStatusCode.ServiceUnavailable or HttpStatusCode.TooManyRequests or HttpStatusCode.GatewayTimeout
        || (statusCode == HttpStatusCode.InternalServerError && PassingWords.Any(w => Message.Contains(w, StringComparison.OrdinalIgnoreCase)));

    public static EngineException From(DockerApiException e) => new(e.StatusCode, Words(e.ResponseBody, e.StatusCode), e);

    /// <summary>What the engine said: <c>{"message": …}</c>, or Podman's <c>{"cause", "message", "response"}</c>.</summary>
    public static string Words(string? body, HttpStatusCode statusCode)
    {
        try
        {
            if (!string.IsNullOrWhiteSpace(body))
            {
                using var json = JsonDocument.Parse(body);
                if (json.RootElement.ValueKind == JsonValueKind.Object && json.RootElement.TryGetProperty("message", out var message))
                {
                    return message.GetString() ?? body;
                }
            }
        }
        catch (JsonException)
        {
            // Not JSON: the text itself is the word.
        }

        return string.IsNullOrWhiteSpace(body) ? $"the engine answered {(int)statusCode} {statusCode}" : body.Trim();
    }
}
