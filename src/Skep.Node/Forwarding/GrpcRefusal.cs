using System.Globalization;
using Grpc.Core;
using Microsoft.AspNetCore.Http;

namespace Skep.Node.Forwarding;

/// <summary>Answers a call that no service sees (gRPC over HTTP/2, "Trailers-Only").</summary>
internal static class GrpcRefusal
{
    public static void Write(HttpContext http, StatusCode code, string message)
    {
        if (http.Response.HasStarted)
        {
            http.Abort();
            return;
        }
        http.Response.Clear();
        http.Response.StatusCode = StatusCodes.Status200OK;
        http.Response.ContentType = "application/grpc";
        http.Response.Headers["grpc-status"] = ((int)code).ToString(CultureInfo.InvariantCulture);
        http.Response.Headers["grpc-message"] = Uri.EscapeDataString(message);
    }
}
