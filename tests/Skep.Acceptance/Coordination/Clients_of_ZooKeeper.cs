using Skep.Acceptance.Harness;

namespace Skep.Acceptance.Coordination;

/// <summary>Existing clients ask ZooKeeper and Skep the same, and must be told the same.</summary>
public abstract class Clients_of_ZooKeeper(CoordinationPair pair) : IAsyncDisposable
{
    public ValueTask DisposeAsync()
    {
        GC.SuppressFinalize(this);
        return new(pair.TellAsync());
    }

    [Fact]
    public Task Kazoos_recipes_work_between_clients_on_different_servers() =>
        pair.SameAsync(connect => Judges.KazooAsync("recipes.py", connect, "/recipes"));

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public Task The_same_stream_of_requests_is_answered_as_ZooKeeper_answers_it(int seed) =>
        pair.SameAsync(connect => Judges.KazooAsync("answers.py", connect, $"/stream-{seed}", $"{seed}", "600"));

    [Fact]
    public Task The_C_client_is_answered_as_by_ZooKeeper() =>
        pair.SameAsync(connect => Judges.CAsync(connect, "/c-client"));

    [Fact]
    public Task The_command_line_client_is_answered_as_by_ZooKeeper() =>
        pair.SameAsync(connect => Judges.CommandLineAsync(connect, "/command-line"));

    [Fact]
    public Task The_command_line_sets_lists_and_ends_quotas_as_at_ZooKeeper() =>
        pair.SameAsync(connect => Judges.QuotasAsync(connect, "/quotas"));

    [Fact]
    public Task Frames_that_no_client_sends_come_to_what_they_come_to_with_ZooKeeper_and_what_kills_it_is_refused() =>
        pair.SameAsync(
            connect => Judges.PythonAsync("raw.py", connect, "/raw"),
            connect => Judges.PythonAsync("raw.py", connect, "/raw", "--deadly"));
}

public sealed class Clients_of_one_server(OneServer pair) : Clients_of_ZooKeeper(pair), IClassFixture<OneServer>;

public sealed class Clients_of_three_servers(ThreeServers pair) : Clients_of_ZooKeeper(pair), IClassFixture<ThreeServers>;
