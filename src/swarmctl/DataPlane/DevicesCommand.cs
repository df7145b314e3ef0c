using System.CommandLine;
using Skep.DataPlane.Devices;
using Swarmctl.Connection;

namespace Swarmctl.DataPlane;

/// <summary><c>dataplane devices</c>: the network hardware, whose it is, and handing it over. No manager is asked.</summary>
internal static class DevicesCommand
{
    private static readonly Option<bool> Force = new("--force", "-f") { Description = "Take a device that carries a route, even this machine's way to the network" };
    private static readonly Argument<string[]> DriverAndDevices = Verb.Words("DRIVER DEVICE");
    private static readonly Argument<string[]> Devices = Verb.Words("DEVICE");

    /// <summary>What stands for <c>/</c>, in tests.</summary>
    internal static readonly Option<string> Root = new("--root") { Description = "Where the machine's files are", DefaultValueFactory = _ => "/", Hidden = true, Recursive = true };

    public static Command All()
    {
        Command devices = Make("devices", "Show network hardware, the drivers that have it and those that could", Show, Root);
        devices.Subcommands.Add(Make("bind", "Bind devices to a driver: vfio-pci hands them to the data plane", Bind, DriverAndDevices, Force));
        devices.Subcommands.Add(Make("unbind", "Give devices back to the kernel's own driver", Unbind, Devices));
        return devices;
    }

    private static Command Make(string name, string description, Action<ParseResult, Surroundings, DeviceTree> run, params Symbol[] parts)
    {
        Command command = Verb.Make(name, description, static (_, _) => Task.CompletedTask, parts);
        command.SetAction(parsed =>
        {
            try
            {
                run(parsed, (Surroundings)parsed.InvocationConfiguration, new DeviceTree(parsed.GetValue(Root)!));
            }
            catch (DeviceRefusedException e)
            {
                throw new UserException(e.Message);
            }
        });
        return command;
    }

    private static void Show(ParseResult flags, Surroundings around, DeviceTree tree) => DeviceText.Write(around.Output, tree.List(), IsJson(flags));

    private static void Bind(ParseResult flags, Surroundings around, DeviceTree tree)
    {
        if (flags.GetValue(DriverAndDevices) is not [var driver, .. { Length: > 0 } words])
        {
            throw new UserException("bind takes a driver and devices: swarmctl dataplane devices bind vfio-pci 0000:03:00.0");
        }
        var binder = new DeviceBinder(tree);
        bool force = flags.GetValue(Force);
        PciDevice[] devices = [.. words.Select(binder.Find)];
        // All are looked at before the first is touched.
        foreach (PciDevice device in devices.Where(d => d.Driver != driver))
        {
            binder.Check(device, driver, force);
        }
        Change(flags, around, devices, d => binder.Bind(d, driver, force));
        foreach (PciDevice device in devices)
        {
            if (tree.OthersInGroup(device) is { Count: > 0 } others)
            {
                around.Error.WriteLine($"Warning: IOMMU group {device.IommuGroup} of {device.Address} holds {string.Join(", ", others)}, too: vfio hands it out once they are at vfio-pci or at no driver");
            }
        }
    }

    private static void Unbind(ParseResult flags, Surroundings around, DeviceTree tree)
    {
        if (flags.GetValue(Devices) is not { Length: > 0 } words)
        {
            throw new UserException("unbind takes devices: swarmctl dataplane devices unbind 0000:03:00.0");
        }
        var binder = new DeviceBinder(tree);
        Change(flags, around, [.. words.Select(binder.Find)], binder.Unbind);
    }

    private static void Change(ParseResult flags, Surroundings around, PciDevice[] devices, Func<PciDevice, PciDevice> change)
    {
        List<PciDevice> changed = [];
        foreach (PciDevice device in devices)
        {
            PciDevice now = change(device);
            changed.Add(now);
            if (!IsJson(flags))
            {
                around.Output.WriteLine($"{now.Address}: {device.Driver ?? "no driver"} → {now.Driver ?? "no driver"}{(now.Interfaces.Count > 0 ? $", {string.Join(", ", now.Interfaces)}" : "")}");
                around.Output.Flush();
            }
        }
        if (IsJson(flags))
        {
            DeviceText.Write(around.Output, changed, json: true);
        }
    }

    private static bool IsJson(ParseResult flags) => flags.GetValue(GlobalFlags.Format) == "json";
}
