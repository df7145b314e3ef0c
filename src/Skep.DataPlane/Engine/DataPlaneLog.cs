using Microsoft.Extensions.Logging;
using Skep.DataPlane.Packets;

namespace Skep.DataPlane.Engine;

internal static partial class DataPlaneLog
{
    [LoggerMessage(EventId = 6001, Level = LogLevel.Information, Message = "Table {Version} is in force: {Services} services, {Backends} backends")]
    public static partial void Applied(ILogger logger, ulong version, int services, int backends);

    [LoggerMessage(EventId = 6002, Level = LogLevel.Warning, Message = "Backend {Address} port {Port} is down: {Why}")]
    public static partial void Down(ILogger logger, IpAddr address, ushort port, string why);

    [LoggerMessage(EventId = 6003, Level = LogLevel.Information, Message = "Backend {Address} port {Port} is up")]
    public static partial void Up(ILogger logger, IpAddr address, ushort port);

    [LoggerMessage(EventId = 6004, Level = LogLevel.Information, Message = "Port {Device} by {Driver}, {Mac}")]
    public static partial void Opened(ILogger logger, string device, string driver, MacAddress mac);

    [LoggerMessage(EventId = 6005, Level = LogLevel.Warning, Message = "Port {Device}: {Note}")]
    public static partial void Noted(ILogger logger, string device, string note);
}
