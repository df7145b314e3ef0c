using System.Buffers.Binary;
using System.Globalization;
using Skep.Jute;

namespace Skep.Simulation;

/// <summary>What one client does: registers, names in sequence, a node of its own, ephemerals, watches.</summary>
internal sealed class Workload
{
    private static readonly Acl[] Anyone = [new(31, new AclId("world", "anyone"))];
    private static readonly string[] Both = ["/m0", "/m1"];
    private readonly Service _service;
    private readonly SimulatedClient _client;
    private readonly Histories _seen;
    private readonly Random _random;
    private readonly List<string> _ephemerals = [];
    private readonly PassingNodes _passing;
    private readonly string _own;
    private readonly int _meanPauseUs;
    private readonly int _mostWaiting;
    private int? _version;
    private int _ephemeral;
    private bool _hasOwn;

    public Workload(Service service, SimulatedClient client)
    {
        (_service, _client, _seen, _random) = (service, client, service.Seen, service.World.Random);
        _passing = new PassingNodes(service, client);
        _own = string.Create(CultureInfo.InvariantCulture, $"/v{client.Number}");
        (_meanPauseUs, _mostWaiting) = (_random.Next(4) == 0 ? 4_000_000 : 20_000 + _random.Next(200_000), 1 + _random.Next(6));
        client.SessionBegan = _ephemerals.Clear;
        client.Opened = () => _version = null;
    }

    public bool IsStopped { get; set; }

    public void Start() => Next();

    private void Next() => _service.World.At(_service.World.NowUs + (long)(-Math.Log(1 - _random.NextDouble()) * _meanPauseUs), () =>
    {
        if (IsStopped)
        {
            return;
        }
        if (_client is { IsOpen: true, IsSilent: false } && _client.Waiting < _mostWaiting)
        {
            Do();
        }
        Next();
    });

    private void Do()
    {
        if (_client.IsReadOnly)
        {
            Read();
            return;
        }
        switch (_random.Next(23))
        {
            case < 4:
                Set(_random.Next(Histories.Registers));
                break;
            case < 8:
                Get(_random.Next(Histories.Registers), synced: _random.Next(3) == 0);
                break;
            case < 10:
                CreateNext();
                break;
            case < 13:
                SetOwn();
                break;
            case 13:
                CreateEphemeral();
                break;
            case 14:
                LookAtEphemeral();
                break;
            case < 17:
                ComeAndGo("/c/x" + _random.Next(3).ToString(CultureInfo.InvariantCulture));
                break;
            case 17:
                List();
                break;
            case 18:
                SetBoth();
                break;
            case 19:
                GetBoth();
                break;
            default:
                _passing.Do();
                break;
        }
    }

    // What a session of one member alone can do.
    private void Read()
    {
        switch (_random.Next(6))
        {
            case < 2:
                Get(_random.Next(Histories.Registers), synced: false);
                break;
            case 2:
                LookAtEphemeral();
                break;
            case 3:
                List();
                break;
            case 4:
                GetBoth();
                break;
            default:
                TryToWrite();
                break;
        }
    }

    private void TryToWrite()
    {
        if (_random.Next(2) == 0)
        {
            _client.Ask(OpCode.Sync, static (ref JuteWriter w) => new PathRequest("/r0").Write(ref w), (header, _) => _client.Expect(header, "sync", ErrorCode.NotReadOnly));
            return;
        }
        int value = ++_seen.NextValue;
        _service.Truth.Forbid(value);
        _client.Ask(OpCode.SetData, (ref JuteWriter w) => new SetDataRequest("/r0", Data(value), -1).Write(ref w), (header, _) => _client.Expect(header, "/r0", ErrorCode.NotReadOnly));
    }

    private void Set(int register)
    {
        if (!_seen.MayAsk(register))
        {
            return;
        }
        (int value, long began, string path) = (++_seen.NextValue, ++_seen.Step, "/r" + register.ToString(CultureInfo.InvariantCulture));
        _client.Ask(OpCode.SetData, (ref JuteWriter w) => new SetDataRequest(path, Data(value), -1).Write(ref w), (header, _) =>
        {
            _client.Expect(header, path, ErrorCode.Ok);
            CheckWritten(value, path, header);
            _seen.Add(register, new Operation(true, value, began, ++_seen.Step));
        }, () => _seen.Add(register, new Operation(true, value, began, null)), value);
    }

    private void Get(int register, bool synced)
    {
        string path = "/r" + register.ToString(CultureInfo.InvariantCulture);
        bool isFresh = synced || _client.ReadsAreFresh;
        if (isFresh && !_seen.MayAsk(register))
        {
            return;
        }
        (long began, long shown) = (++_seen.Step, _service.ShownZxid);
        if (synced)
        {
            _client.Ask(OpCode.Sync, (ref JuteWriter w) => new PathRequest(path).Write(ref w), static (_, _) => { }, freshSince: shown);
        }
        bool watch = _random.Next(3) == 0;
        _client.Ask(OpCode.GetData, (ref JuteWriter w) => new PathWatchRequest(path, watch).Write(ref w), (header, body) =>
        {
            int value = CheckRead(path, header, body);
            Watched(watch && header.Err == 0, path, ofChildren: false, header);
            if (isFresh)
            {
                _seen.Add(register, new Operation(false, value, began, ++_seen.Step));
            }
        }, freshSince: isFresh ? shown : null);
    }

    private void CreateNext()
    {
        (int value, long began) = (++_seen.NextValue, ++_seen.Step);
        int flags = _random.Next(4) == 0 ? 3 : 2;
        _client.Ask(OpCode.Create, (ref JuteWriter w) => new CreateRequest("/q/n-", Data(value), Anyone, flags).Write(ref w), (header, body) =>
        {
            _client.Expect(header, "/q/n-", ErrorCode.Ok);
            var reader = new JuteReader(body);
            string path = reader.ReadString();
            CheckWritten(value, "/q/", header);
            _seen.Name(value, began, int.Parse(path.AsSpan("/q/n-".Length), CultureInfo.InvariantCulture));
            if (flags == 3)
            {
                _ephemerals.Add(path);
            }
        }, null, value);
    }

    // Nobody else writes there: while no connection is lost the versions follow one another, whoever leads.
    private void SetOwn()
    {
        if (!_hasOwn)
        {
            int first = ++_seen.NextValue;
            _client.Ask(OpCode.Create, (ref JuteWriter w) => new CreateRequest(_own, Data(first), Anyone, 0).Write(ref w), (header, _) =>
            {
                _client.Expect(header, _own, ErrorCode.Ok, ErrorCode.NodeExists);
                _hasOwn = true;
            }, null, first);
        }
        else if (_version is not { } version)
        {
            _client.Ask(OpCode.GetData, (ref JuteWriter w) => new PathWatchRequest(_own, false).Write(ref w), (header, body) =>
            {
                CheckRead(_own, header, body);
                var reader = new JuteReader(body);
                // Those that wait behind a read were not asked for yet.
                _version ??= GetDataResponse.Read(ref reader).Stat.Version;
            });
        }
        else
        {
            int value = ++_seen.NextValue;
            _version = version + 1;
            _client.Ask(OpCode.SetData, (ref JuteWriter w) => new SetDataRequest(_own, Data(value), version).Write(ref w), (header, body) =>
            {
                if (header.Err != 0)
                {
                    throw new SimulationFailure("exactly once", $"client {_client.Number} writes {_own} at version {version}, which is the one it left there, and is answered {(ErrorCode)header.Err}");
                }
                CheckWritten(value, _own, header);
            }, null, value);
        }
    }

    private void CreateEphemeral()
    {
        int value = ++_seen.NextValue;
        string path = string.Create(CultureInfo.InvariantCulture, $"/e/{_client.Number}-{++_ephemeral}");
        _client.Ask(OpCode.Create, (ref JuteWriter w) => new CreateRequest(path, Data(value), Anyone, 1).Write(ref w), (header, _) =>
        {
            _client.Expect(header, path, ErrorCode.Ok);
            CheckWritten(value, path, header);
            _ephemerals.Add(path);
        }, null, value);
    }

    private void LookAtEphemeral()
    {
        if (_ephemerals.Count == 0)
        {
            return;
        }
        string path = _ephemerals[_random.Next(_ephemerals.Count)];
        _client.Ask(OpCode.GetData, (ref JuteWriter w) => new PathWatchRequest(path, false).Write(ref w), (header, body) =>
        {
            if (header.Err != 0)
            {
                throw new SimulationFailure("ephemerals", $"client {_client.Number} does not find its own {path} any more, and was not told that its session is over");
            }
            CheckRead(path, header, body);
        }, freshSince: _client.ReadsAreFresh ? _service.ShownZxid : null);
    }

    private void ComeAndGo(string path)
    {
        int value = ++_seen.NextValue;
        switch (_random.Next(3))
        {
            case 0:
                _client.Ask(OpCode.Create2, (ref JuteWriter w) => new CreateRequest(path, Data(value), Anyone, 0).Write(ref w), (header, _) =>
                    _client.Expect(header, path, ErrorCode.Ok, ErrorCode.NodeExists), null, value);
                break;
            case 1:
                _client.Ask(OpCode.Delete, (ref JuteWriter w) => new VersionedPathRequest(path, -1).Write(ref w), (header, _) =>
                    _client.Expect(header, path, ErrorCode.Ok, ErrorCode.NoNode));
                break;
            default:
                _client.Ask(OpCode.Exists, (ref JuteWriter w) => new PathWatchRequest(path, true).Write(ref w), (header, _) =>
                {
                    _client.Expect(header, path, ErrorCode.Ok, ErrorCode.NoNode);
                    if (_service.Truth.At(path, header.Zxid).IsThere != (header.Err == 0))
                    {
                        throw new SimulationFailure("reads", $"client {_client.Number} is answered {(ErrorCode)header.Err} for {path} at zxid {header.Zxid}");
                    }
                    Watched(true, path, ofChildren: false, header);
                }, freshSince: _client.ReadsAreFresh ? _service.ShownZxid : null);
                break;
        }
    }

    private void List()
    {
        bool watch = _random.Next(2) == 0;
        _client.Ask(OpCode.GetChildren2, (ref JuteWriter w) => new PathWatchRequest("/c", watch).Write(ref w), (header, body) =>
        {
            if (IsBeforeAll("/c", header))
            {
                _client.Expect(header, "/c", ErrorCode.NoNode);
                return;
            }
            _client.Expect(header, "/c", ErrorCode.Ok);
            var reader = new JuteReader(body);
            IReadOnlyList<string> children = GetChildren2Response.Read(ref reader).Children;
            for (int i = 0; i < 3; i++)
            {
                string name = "x" + i.ToString(CultureInfo.InvariantCulture);
                if (_service.Truth.At("/c/" + name, header.Zxid).IsThere != children.Contains(name))
                {
                    throw new SimulationFailure("reads", $"client {_client.Number} is told of {string.Join(' ', children)} in /c at zxid {header.Zxid}, where {name} is otherwise");
                }
            }
            Watched(watch, "/c", ofChildren: true, header);
        }, freshSince: _client.ReadsAreFresh ? _service.ShownZxid : null);
    }

    private void SetBoth()
    {
        int value = ++_seen.NextValue;
        MultiOp[] ops = [.. Both.Select(path => new MultiOp(OpCode.SetData, path, Data(value), [], 0, 0, -1))];
        _client.Ask(OpCode.Multi, (ref JuteWriter w) => new MultiRequest(ops).Write(ref w), (header, _) =>
        {
            _client.Expect(header, "/m0", ErrorCode.Ok);
            CheckWritten(value, "/m0", header);
            CheckWritten(value, "/m1", header);
        }, null, value);
    }

    private void GetBoth()
    {
        MultiOp[] ops = [.. Both.Select(static path => new MultiOp(OpCode.GetData, path, null, [], 0, 0, 0))];
        _client.Ask(OpCode.MultiRead, (ref JuteWriter w) => new MultiRequest(ops).Write(ref w), (header, body) =>
        {
            _client.Expect(header, "/m0", ErrorCode.Ok);
            var reader = new JuteReader(body);
            int[] values = [.. MultiResponse.Read(ref reader).Results.Select(static r => Value(r.Data))];
            if (values is not [var a, var b] || a != b || a != _service.Truth.At("/m0", header.Zxid).Value)
            {
                throw new SimulationFailure("multi", $"client {_client.Number} reads {string.Join(' ', values)} at zxid {header.Zxid}, where one multi wrote {_service.Truth.At("/m0", header.Zxid).Value} to both");
            }
        }, freshSince: _client.ReadsAreFresh ? _service.ShownZxid : null);
    }

    // A member that serves alone may be new, and have nothing yet.
    private bool IsBeforeAll(string path, ReplyHeader header) => _client.IsReadOnly && !_service.Truth.At(path, header.Zxid).IsThere;

    private int CheckRead(string path, ReplyHeader header, ReadOnlyMemory<byte> body)
    {
        Moment moment = _service.Truth.At(path, header.Zxid);
        if (IsBeforeAll(path, header))
        {
            _client.Expect(header, path, ErrorCode.NoNode);
            return 0;
        }
        _client.Expect(header, path, ErrorCode.Ok);
        var reader = new JuteReader(body);
        GetDataResponse read = GetDataResponse.Read(ref reader);
        if (!moment.IsThere || moment.Value != Value(read.Data) || moment.Stat.Version != read.Stat.Version || moment.Stat.Mzxid != read.Stat.Mzxid)
        {
            throw new SimulationFailure("reads", $"client {_client.Number} reads {Value(read.Data)}, version {read.Stat.Version} from {path} at zxid {header.Zxid}, where it is {moment.Value}, version {moment.Stat.Version}");
        }
        return Value(read.Data);
    }

    private void CheckWritten(int value, string path, ReplyHeader header)
    {
        if (_service.Truth.ZxidOf(value, path) != header.Zxid)
        {
            throw new SimulationFailure("writes", $"client {_client.Number} is told that it wrote {value} to {path} at zxid {header.Zxid}; that was at {_service.Truth.ZxidOf(value, path)}");
        }
    }

    private void Watched(bool watch, string path, bool ofChildren, ReplyHeader header)
    {
        if (watch)
        {
            _client.Watches.Add(path, ofChildren, header.Err == 0, header.Zxid);
        }
    }

    public static byte[] Data(int value)
    {
        byte[] data = new byte[4];
        BinaryPrimitives.WriteInt32BigEndian(data, value);
        return data;
    }

    private static int Value(ReadOnlyMemory<byte>? data) => data is { Length: 4 } bytes ? BinaryPrimitives.ReadInt32BigEndian(bytes.Span) : 0;
}
