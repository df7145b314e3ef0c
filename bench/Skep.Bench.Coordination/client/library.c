// Requests a second through libzookeeper-mt: so many outstanding, each answer brings the next request.
#include "tally.h"

#include <stdatomic.h>
#include <string.h>
#include <unistd.h>
#include <zookeeper/zookeeper.h>

struct session;

struct call {
    struct session *session;
    int64_t issued_ns;
};

struct session {
    zhandle_t *handle;
    char hosts[512];
    struct call *calls;
    int call_count;
    atomic_int parked; // calls that the handle does not take any more
    atomic_uint next;
    struct tally tally;
} __attribute__((aligned(64)));

static enum operation what;
static char data[DATA_BYTES];
static char paths[NODES][16];
static int64_t deadline_ns;
static atomic_llong last_answer_ns, longest_gap_ns;
static atomic_int in_flight;

static void issue(struct call *call);

// Runs on the session's own completion thread, so that what is the session's needs no lock.
static void take(struct call *call, int result)
{
    struct session *s = call->session;
    int64_t now = now_ns();
    if (now < deadline_ns) {
        if (result == ZOK) {
            count_answer(&s->tally, (now - call->issued_ns) / 1000);
            long long gap = now - atomic_exchange(&last_answer_ns, now);
            long long longest = atomic_load(&longest_gap_ns);
            while (gap > longest && !atomic_compare_exchange_weak(&longest_gap_ns, &longest, gap)) {
            }
        } else {
            s->tally.errors++;
        }
        issue(call);
    } else {
        atomic_fetch_sub(&in_flight, 1);
    }
}

static void was_set(int result, const struct Stat *stat, const void *call)
{
    (void)stat;
    take((struct call *)call, result);
}

static void was_read(int result, const char *value, int length, const struct Stat *stat, const void *call)
{
    (void)value, (void)stat;
    take((struct call *)call, result == ZOK && length != DATA_BYTES ? ZSYSTEMERROR : result);
}

static void was_created(int result, const char *path, const void *call)
{
    (void)path;
    take((struct call *)call, result);
}

static void issue(struct call *call)
{
    struct session *s = call->session;
    unsigned number = atomic_fetch_add(&s->next, 1);
    const char *path = paths[number % NODES];
    int result;
    call->issued_ns = now_ns();
    if (what == CREATE) {
        result = zoo_acreate(s->handle, QUEUE "/n-", data, DATA_BYTES, &ZOO_OPEN_ACL_UNSAFE, ZOO_EPHEMERAL | ZOO_SEQUENCE, was_created, call);
    } else if (what == SET || (what == MIX && number % 10 == 0)) {
        // A tenth of the numbers would always meet the same nodes.
        result = zoo_aset(s->handle, what == SET ? path : paths[number / 10 % NODES], data, DATA_BYTES, -1, was_set, call);
    } else {
        result = zoo_aget(s->handle, path, 0, was_read, call);
    }
    if (result != ZOK) {
        atomic_fetch_add(&s->parked, 1);
    }
}

static zhandle_t *open_session(const char *hosts, int timeout_ms)
{
    zhandle_t *handle = zookeeper_init(hosts, NULL, timeout_ms, NULL, NULL, 0);
    if (!handle) {
        die("no session with %s", hosts);
    }
    // Else it asks for the servers' addresses again before every wait, which costs more than the request.
    zoo_set_servers_resolution_delay(handle, -1);
    return handle;
}

static void wait_connected(zhandle_t *handle, const char *hosts)
{
    int64_t patience = now_ns() + 30000000000;
    while (zoo_state(handle) != ZOO_CONNECTED_STATE) {
        if (now_ns() > patience) {
            die("waited 30 s in vain for a session with %s", hosts);
        }
        usleep(1000);
    }
}

static void make(zhandle_t *handle, const char *path)
{
    int result = zoo_create(handle, path, data, DATA_BYTES, &ZOO_OPEN_ACL_UNSAFE, 0, NULL, 0);
    if (result != ZOK && result != ZNODEEXISTS) {
        die("%s cannot be made: %s", path, zerror(result));
    }
}

// Each session keeps to one server, and goes to the others only when that one is gone.
static void name_hosts(const struct options *o, int first, char *hosts, size_t size)
{
    hosts[0] = 0;
    for (int i = 0; i < o->server_count; i++) {
        snprintf(hosts + strlen(hosts), size - strlen(hosts), "%s%s", i ? "," : "", o->servers[(first + i) % o->server_count]);
    }
}

int run_library(const struct options *o, enum operation operation)
{
    what = operation;
    memset(data, 'x', sizeof data);
    zoo_set_debug_level(0);
    zoo_deterministic_conn_order(1);
    int count = o->sessions < o->outstanding ? o->sessions : o->outstanding;
    struct session *sessions = aligned_alloc(64, sizeof(struct session) * (size_t)count);
    memset(sessions, 0, sizeof(struct session) * (size_t)count);
    for (int i = 0; i < count; i++) {
        struct session *s = &sessions[i];
        name_hosts(o, i, s->hosts, sizeof s->hosts);
        s->call_count = o->outstanding / count + (i < o->outstanding % count);
        s->calls = calloc((size_t)s->call_count, sizeof(struct call));
        s->next = (unsigned)(i * NODES / count + getpid());
        s->handle = open_session(s->hosts, o->timeout_ms);
    }

    // What is made beforehand, and what is looked at in the end, has a session of its own.
    zhandle_t *aside = open_session(sessions[0].hosts, o->timeout_ms);
    wait_connected(aside, sessions[0].hosts);
    make(aside, "/bench");
    make(aside, QUEUE);
    for (int i = 0; i < NODES; i++) {
        snprintf(paths[i], sizeof paths[i], "/bench/n-%02d", i);
        make(aside, paths[i]);
    }
    for (int i = 0; i < count; i++) {
        wait_connected(sessions[i].handle, sessions[i].hosts);
        // A follower may be behind by what has just been made at another server.
        while (zoo_exists(sessions[i].handle, paths[NODES - 1], 0, NULL) != ZOK) {
            usleep(1000);
        }
    }

    wait_go();
    int64_t began_ns = now_ns();
    deadline_ns = began_ns + (int64_t)(o->seconds * 1e9);
    atomic_store(&last_answer_ns, began_ns);
    atomic_store(&in_flight, o->outstanding);
    for (int i = 0; i < count; i++) {
        for (int c = 0; c < sessions[i].call_count; c++) {
            sessions[i].calls[c].session = &sessions[i];
            issue(&sessions[i].calls[c]);
        }
    }
    while (now_ns() < deadline_ns) {
        if (is_orphan(10)) {
            return 1;
        }
        for (int i = 0; i < count; i++) {
            struct session *s = &sessions[i];
            if (atomic_load(&s->parked) == s->call_count) {
                // The session expired: another takes its place and its calls.
                zookeeper_close(s->handle);
                s->handle = open_session(s->hosts, o->timeout_ms);
                atomic_store(&s->parked, 0);
                for (int c = 0; c < s->call_count; c++) {
                    issue(&s->calls[c]);
                }
            }
        }
    }
    for (int waited_ms = 0; waited_ms < 5000 && atomic_load(&in_flight) > 0; waited_ms += 10) {
        usleep(10000);
    }
    static struct tally all;
    int64_t gap = atomic_load(&longest_gap_ns), tail = deadline_ns - atomic_load(&last_answer_ns);
    for (int i = 0; i < count; i++) {
        add_tally(&all, &sessions[i].tally);
    }
    print_tally(&all, o->seconds, tail > gap ? tail : gap);
    for (int i = 0; i < count; i++) {
        zookeeper_close(sessions[i].handle);
    }

    // The next measurement must not pay for the end of this one's ephemerals.
    struct Stat queue = {.numChildren = 1};
    for (int waited_ms = 0; what == CREATE && waited_ms < 60000 && queue.numChildren > 0; waited_ms += 50) {
        usleep(50000);
        zoo_exists(aside, QUEUE, 0, &queue);
    }
    zookeeper_close(aside);
    return 0;
}
