using Docker.Swarmkit.V1;
using Google.Protobuf;
using Google.Protobuf.WellKnownTypes;
using Skep.V1;

namespace Skep.Api.Tests;

/// <summary>
/// Bytes as SwarmKit's own programs write them are read, and written back without a loss. Go writes a submessage that may not
/// be null even where it is empty; C# may leave it out.
/// </summary>
public sealed class WireTests
{
    [Fact]
    public void A_session_message_with_its_empty_parts()
    {
        // session_id=1 "s1", node=2 {id=1 "n1", meta=2 {version=1 {index=1: 7}}, spec=3 {annotations=1 {}},
        // status=5 {}, certificate=8 {status=3 {}}, role=9: 1}, managers=3 {peer=1 {node_id, addr}, weight=2: 10}, RootCA=5 bytes
        byte[] bytes = Hex(
            "0A 02 73 31"
            + "12 1A 0A 02 6E 31 12 04 0A 02 08 07 1A 02 0A 00 2A 00 42 02 1A 00 48 01 9A 06 01 78"
            + "1A 0C 0A 08 0A 02 6E 31 12 02 61 3A 10 0A"
            + "2A 02 43 41");
        SessionMessage message = SessionMessage.Parser.ParseFrom(bytes);
        Assert.Equal("s1", message.SessionId);
        Assert.Equal(("n1", 7UL, NodeRole.Manager), (message.Node.Id, message.Node.Meta.Version.Index, message.Node.Role));
        Assert.NotNull(message.Node.Spec.Annotations);
        Assert.NotNull(message.Node.Status);
        Assert.NotNull(message.Node.Certificate.Status);
        WeightedPeer peer = Assert.Single(message.Managers);
        Assert.Equal(("n1", "a:", 10L), (peer.Peer.NodeId, peer.Peer.Addr, peer.Weight));
        Assert.Equal("CA", message.RootCA.ToStringUtf8());
        AssertSame(bytes, message);
    }

    [Fact]
    public void A_whole_task_as_a_manager_sends_it()
    {
        // Assignments: COMPLETE is 0 and so not written, applies_to=2 "", results_in=3 "1",
        // changes=4 {assignment=1 {task=1 {id=1, meta=2 {}, spec=3 {container=1 {image=1}}, slot=5, status=9 {state=2: 192, port_status=6 {}}, desired_state=10: 512}}}
        byte[] bytes = Hex(
            "1A 01 31"
            + "22 23 0A 21 0A 1F 0A 02 74 31 12 02 0A 00 1A 09 0A 07 0A 05 72 65 64 69 73 28 01 4A 05 10 C0 01 32 00 50 80 04");
        AssignmentsMessage message = AssignmentsMessage.Parser.ParseFrom(bytes);
        Assert.Equal(AssignmentsMessage.Types.Type.Complete, message.Type);
        Assert.Equal("1", message.ResultsIn);
        SwarmTask task = Assert.Single(message.Changes).Assignment.Task;
        Assert.Equal(("t1", "redis", 1UL), (task.Id, task.Spec.Container.Image, task.Slot));
        Assert.Equal((TaskState.Assigned, TaskState.Running), (task.Status.State, task.DesiredState));
        AssertSame(bytes, message);
    }

    [Fact]
    public void A_status_report_without_time_as_Docker_sends_its_first()
    {
        // updates=3 {task_id=1, status=2 {state=2: 256, message=3}}
        byte[] bytes = Hex("0A 02 73 31 1A 10 0A 02 74 31 12 0A 10 80 02 1A 05 61 63 63 65 70");
        var request = UpdateTaskStatusRequest.Parser.ParseFrom(bytes);
        var update = Assert.Single(request.Updates);
        Assert.Equal((TaskState.Accepted, "accep"), (update.Status.State, update.Status.Message));
        Assert.Null(update.Status.Timestamp);
        AssertSame(bytes, request);
    }

    [Fact]
    public void Watch_actions_are_bits_and_7_is_all_of_them()
    {
        // entries=1 {kind=1 "task", action=2: 7}, include_old_object=3
        byte[] bytes = Hex("0A 08 0A 04 74 61 73 6B 10 07 18 01");
        WatchRequest request = WatchRequest.Parser.ParseFrom(bytes);
        WatchActionKind action = Assert.Single(request.Entries).Action;
        Assert.Equal(WatchActionKind.WatchActionCreate | WatchActionKind.WatchActionUpdate | WatchActionKind.WatchActionRemove, action);
        AssertSame(bytes, request);
    }

    [Fact]
    public void Repeated_enums_of_filters_are_read_packed_and_not()
    {
        // filters=1 {desired_states=6: 512, 640}: Go's gogo/protobuf writes them one by one, newer ones together.
        TaskState[] expected = [TaskState.Running, TaskState.Shutdown];
        Assert.Equal(expected, ListTasksRequest.Parser.ParseFrom(Hex("0A 06 30 80 04 30 80 05")).Filters.DesiredStates);
        Assert.Equal(expected, ListTasksRequest.Parser.ParseFrom(Hex("0A 06 32 04 80 04 80 05")).Filters.DesiredStates);
    }

    [Theory]
    [InlineData("node")]
    [InlineData("service")]
    [InlineData("task")]
    [InlineData("cluster")]
    [InlineData("spec")]
    public void Fields_of_a_newer_version_stay_through_reading_copying_and_writing(string what)
    {
        // Field 200 varint, field 201 bytes, field 202 a message.
        byte[] unknown = Hex("C0 0C 05 CA 0C 02 68 69 D2 0C 02 08 01");
        IMessage copy = what switch
        {
            "node" => Node.Parser.ParseFrom([.. new Node { Id = "x" }.ToByteArray(), .. unknown]).Clone(),
            "service" => Service.Parser.ParseFrom([.. new Service { Id = "x" }.ToByteArray(), .. unknown]).Clone(),
            "task" => SwarmTask.Parser.ParseFrom([.. new SwarmTask { Id = "x" }.ToByteArray(), .. unknown]).Clone(),
            "cluster" => Cluster.Parser.ParseFrom([.. new Cluster { Id = "x" }.ToByteArray(), .. unknown]).Clone(),
            _ => ServiceSpec.Parser.ParseFrom([.. new ServiceSpec { Global = new() }.ToByteArray(), .. unknown]).Clone(),
        };
        Assert.Equal(unknown, copy.ToByteArray()[^unknown.Length..]);
    }

    [Fact]
    public void An_enum_value_of_a_newer_version_stays_a_number()
    {
        byte[] bytes = Hex("10 E7 07");
        var status = Docker.Swarmkit.V1.TaskStatus.Parser.ParseFrom(bytes);
        Assert.Equal(999, (int)status.State);
        Assert.Equal(bytes, status.ToByteArray());
    }

    [Fact]
    public void A_file_s_mode_is_Go_s_bits_and_durations_may_be_negative()
    {
        // FileTarget name=1, mode=4: 0444 = 292
        Assert.Equal(292U, FileTarget.Parser.ParseFrom(Hex("0A 01 66 20 A4 02")).Mode);
        // Duration seconds=-1: ten bytes of varint
        Assert.Equal(-1_000_000_000, GoDuration.ToNanoseconds(Duration.Parser.ParseFrom(Hex("08 FF FF FF FF FF FF FF FF FF 01"))));
    }

    [Fact]
    public void Camel_case_names_of_the_wire_are_kept()
    {
        Assert.Equal("RootCA", SessionMessage.Descriptor.FindFieldByNumber(SessionMessage.RootCAFieldNumber).Name);
        Assert.Equal("VXLANUDPPort", Node.Descriptor.FindFieldByNumber(11).Name);
        Assert.Equal("defaultAddressPool", Cluster.Descriptor.FindFieldByNumber(11).Name);
        Assert.Equal("pidsLimit", ContainerSpec.Descriptor.FindFieldByNumber(25).Name);
    }

    [Fact]
    public void A_process_task_goes_through_SwarmKit_s_generic_runtime()
    {
        var process = new ProcessSpec { Command = { "redis-server" }, Args = { "--port", "7000" } };
        var spec = new TaskSpec { Generic = new() { Kind = "process", Payload = new() { TypeUrl = "type.skep.io/skep.v1.ProcessSpec", Value = process.ToByteString() } } };
        TaskSpec back = TaskSpec.Parser.ParseFrom(spec.ToByteArray());
        Assert.Equal(process, ProcessSpec.Parser.ParseFrom(back.Generic.Payload.Value));
        Assert.True(back.Generic.Payload.Is(ProcessSpec.Descriptor));
    }

    [Fact]
    public void Garbage_is_refused_and_never_more_than_that()
    {
        Assert.Throws<InvalidProtocolBufferException>(() => Service.Parser.ParseFrom(Hex("0A FF")));
        Assert.Throws<InvalidProtocolBufferException>(() => Service.Parser.ParseFrom(Hex("FF FF FF FF FF FF FF FF FF FF FF")));
    }

    // Equal as messages, and nothing of what was read is lost: what we write reads the same again.
    private static void AssertSame<T>(byte[] read, T message)
        where T : IMessage<T>, new()
    {
        byte[] written = message.ToByteArray();
        Assert.Equal(read.Length, written.Length);
        Assert.Equal(message, new MessageParser<T>(() => new T()).ParseFrom(written));
    }

    private static byte[] Hex(string text) => Convert.FromHexString(text.Replace(" ", "", StringComparison.Ordinal));
}
