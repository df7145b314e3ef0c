// The client both contenders are measured with.
//   load set|get|create|mix|gap --servers a:1,b:2 --outstanding N --sessions N --seconds S [--timeout MS]
//        [--client library|sockets]
//       says "ready", starts at "go" on stdin, and prints one line of JSON
//   load sessions|watches N --servers ...   opens N sessions, says so in JSON, and holds them until stdin closes;
//       at each "go" every session sets a watch on one node, which is then written: one line of JSON
//   load fill N --servers ...               makes N nodes by pipelined multis
//   load first --servers a:1 --path P       ends with the first answered getData
//   load ready --servers ...                ends when each server has taken a create
#include "load.h"

#include <signal.h>
#include <string.h>
#include <sys/resource.h>

static void add_servers(struct options *o, char *list)
{
    for (char *one = strtok(list, ","); one; one = strtok(NULL, ",")) {
        if (o->server_count == MAX_SERVERS) {
            die("more than %d servers", MAX_SERVERS);
        }
        o->servers[o->server_count++] = one;
    }
}

static double number(const char *name, const char *value, double least)
{
    char *end;
    double parsed = strtod(value, &end);
    if (*end || parsed < least) {
        die("%s must be a number of at least %g", name, least);
    }
    return parsed;
}

int main(int argc, char **argv)
{
    struct options o = {.outstanding = 1, .sessions = 1, .seconds = 5, .timeout_ms = 30000, .path = "/bench"};
    const char *mode = argc > 1 ? argv[1] : "";
    int at = 2;
    if (at < argc && argv[at][0] != '-') {
        o.count = (int)number("the count", argv[at++], 1);
    }
    for (; at + 1 < argc; at += 2) {
        const char *name = argv[at];
        char *value = argv[at + 1];
        if (!strcmp(name, "--servers")) {
            add_servers(&o, value);
        } else if (!strcmp(name, "--outstanding")) {
            o.outstanding = (int)number(name, value, 1);
        } else if (!strcmp(name, "--sessions")) {
            o.sessions = (int)number(name, value, 1);
        } else if (!strcmp(name, "--seconds")) {
            o.seconds = number(name, value, 0.1);
        } else if (!strcmp(name, "--timeout")) {
            o.timeout_ms = (int)number(name, value, 1);
        } else if (!strcmp(name, "--client")) {
            o.sockets = !strcmp(value, "sockets");
        } else if (!strcmp(name, "--path")) {
            o.path = value;
        } else {
            die("there is no %s", name);
        }
    }
    if (at != argc || !o.server_count) {
        die("usage: load MODE [COUNT] --servers HOST:PORT,... [--outstanding N] [--sessions N] [--seconds S] [--timeout MS] [--path P]");
    }
    struct rlimit files;
    getrlimit(RLIMIT_NOFILE, &files);
    files.rlim_cur = files.rlim_max;
    setrlimit(RLIMIT_NOFILE, &files);
    signal(SIGPIPE, SIG_IGN);
    setvbuf(stdout, NULL, _IOLBF, 0);

    static const char *const rates[] = {[SET] = "set", [GET] = "get", [CREATE] = "create", [MIX] = "mix"};
    for (int i = 0; i < 4; i++) {
        if (!strcmp(mode, rates[i])) {
            return o.sockets ? run_sockets(&o, (enum operation)i) : run_library(&o, (enum operation)i);
        }
    }
    if (!strcmp(mode, "gap")) {
        return run_library(&o, SET);
    }
    if (!strcmp(mode, "first")) {
        return run_first(&o);
    }
    if (!strcmp(mode, "ready")) {
        return run_ready(&o);
    }
    if (!o.count) {
        die("there is no %s, or it needs a count", mode);
    }
    if (!strcmp(mode, "sessions") || !strcmp(mode, "watches")) {
        return run_sessions(&o);
    }
    if (!strcmp(mode, "fill")) {
        return run_fill(&o);
    }
    die("there is no %s", mode);
}
