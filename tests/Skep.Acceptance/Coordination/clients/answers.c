// Asks a fixed stream of requests through ZooKeeper's C client and prints a line for each answer and event.
//
// usage: answers HOST:PORT[,HOST:PORT...] ROOT
//
// Two servers that are alike get the same text. ROOT is printed as ~; of zxids and times only relations are printed.
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>
#include <zookeeper/zookeeper.h>

enum { PATIENCE_S = 15, TEXT = 4096 };

typedef struct {
    zhandle_t *handle;
    const char *name;
    char events[TEXT];
    int state;
} session_t;

typedef struct {
    int done, rc;
    char text[TEXT];
} answer_t;

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;
static const char *root;
static char barrier[1024];

static void say(const char *format, ...) {
    char line[4 * TEXT];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(line, sizeof line, format, arguments);
    va_end(arguments);
    size_t length = strlen(root);
    for (const char *c = line; *c;) {
        if (!strncmp(c, root, length)) {
            putchar('~');
            c += length;
        } else {
            putchar(*c++);
        }
    }
    putchar('\n');
    fflush(stdout);
}

static void fail(const char *why) {
    say("FAILED: %s", why);
    exit(1);
}

static const char *path_of(const char *name) {
    static char paths[16][1024];
    static int next;
    char *path = paths[next++ % 16];
    snprintf(path, sizeof paths[0], "%s%s", root, name);
    return path;
}

static const char *name_of(int event) {
    return event == ZOO_CREATED_EVENT ? "created" : event == ZOO_DELETED_EVENT ? "deleted" : event == ZOO_CHANGED_EVENT ? "changed" :
        event == ZOO_CHILD_EVENT ? "children" : event == ZOO_NOTWATCHING_EVENT ? "not watching" : "other";
}

// Errors by their name in the protocol, for the client's own words may change.
static const char *error(int rc) {
    static char text[16][32];
    static int next;
    char *said = text[next++ % 16];
    snprintf(said, sizeof text[0], rc ? "error %d" : "OK", rc);
    return said;
}

static void note(session_t *session, const char *which, int type, int state, const char *path) {
    pthread_mutex_lock(&lock);
    if (type == ZOO_SESSION_EVENT) {
        session->state = state;
    } else {
        size_t used = strlen(session->events);
        snprintf(session->events + used, TEXT - used, " %s:%s(%s)", which, name_of(type), path ? path : "");
    }
    pthread_cond_broadcast(&changed);
    pthread_mutex_unlock(&lock);
}

// Each kind of watch has a function of its own, for one function on one path is one watch to the client.
static void on_global(zhandle_t *h, int type, int state, const char *path, void *context) { (void)h; note(context, "global", type, state, path); }
static void on_swapped(zhandle_t *h, int type, int state, const char *path, void *context) { (void)h; note(context, "swapped", type, state, path); }
static void on_exists(zhandle_t *h, int type, int state, const char *path, void *context) { (void)h; if (type != ZOO_SESSION_EVENT) note(context, "exists", type, state, path); }
static void on_data(zhandle_t *h, int type, int state, const char *path, void *context) { (void)h; if (type != ZOO_SESSION_EVENT) note(context, "data", type, state, path); }
static void on_children(zhandle_t *h, int type, int state, const char *path, void *context) { (void)h; if (type != ZOO_SESSION_EVENT) note(context, "children", type, state, path); }

static void wait_until(const char *what, int (*so)(void *), void *of) {
    struct timespec deadline;
    clock_gettime(CLOCK_REALTIME, &deadline);
    deadline.tv_sec += PATIENCE_S;
    pthread_mutex_lock(&lock);
    int timed_out = 0;
    while (!so(of) && !timed_out) {
        timed_out = pthread_cond_timedwait(&changed, &lock, &deadline);
    }
    pthread_mutex_unlock(&lock);
    if (timed_out) {
        fail(what);
    }
}

static int is_done(void *answer) { return ((answer_t *)answer)->done; }
static int is_connected(void *session) { return ((session_t *)session)->state == ZOO_CONNECTED_STATE; }
static int is_refused(void *session) { return ((session_t *)session)->state == ZOO_AUTH_FAILED_STATE; }

static void finish(const void *data, int rc, const char *text) {
    answer_t *answer = (answer_t *)data;
    pthread_mutex_lock(&lock);
    answer->done = 1;
    answer->rc = rc;
    snprintf(answer->text, TEXT, "%s", text ? text : "");
    pthread_cond_broadcast(&changed);
    pthread_mutex_unlock(&lock);
}

static void on_stat(int rc, const struct Stat *stat, const void *data) { (void)stat; finish(data, rc, ""); }
static void on_void(int rc, const void *data) { finish(data, rc, ""); }

// Waits until the session's server has applied all that others were told is done. By a write of its own: a sync of a session on
// ZooKeeper's leader may be answered before the leader applies what its followers have.
static void catch_up(session_t *session) {
    answer_t answer = {0};
    if (zoo_aset(session->handle, barrier, "", 0, -1, on_stat, &answer) != ZOK) {
        fail("the barrier could not be written");
    }
    wait_until("the barrier is written", is_done, &answer);
}

// The events of what was done so far: they come by the same thread as the answer to a later request.
static void tell_events(session_t *session) {
    catch_up(session);
    pthread_mutex_lock(&lock);
    say("  %s sees:%s", session->name, *session->events ? session->events : " nothing");
    *session->events = 0;
    pthread_mutex_unlock(&lock);
}

static const char *stat_of(const session_t *session, const struct Stat *s) {
    static char text[8][256];
    static int next;
    char *said = text[next++ % 8];
    int64_t mine = session ? zoo_client_id(session->handle)->client_id : -1;
    snprintf(said, sizeof text[0], "[v%d cv%d av%d owner %s %d bytes %d children mzxid%sczxid pzxid%sczxid ctime%smtime]", s->version, s->cversion, s->aversion,
        s->ephemeralOwner == 0 ? "none" : s->ephemeralOwner == mine ? "mine" : "another", s->dataLength, s->numChildren,
        s->mzxid == s->czxid ? "=" : s->mzxid > s->czxid ? ">" : "<", s->pzxid == s->czxid ? "=" : s->pzxid > s->czxid ? ">" : "<", s->ctime <= s->mtime ? "<=" : ">");
    return said;
}

static session_t *open_session(const char *servers, const char *name, int flags) {
    session_t *session = calloc(1, sizeof *session);
    session->name = name;
    session->handle = zookeeper_init(servers, on_global, 20000, NULL, session, flags);
    if (!session->handle) {
        fail("zookeeper_init");
    }
    wait_until("a session is opened", is_connected, session);
    return session;
}

static int names_in_order(const void *a, const void *b) { return strcmp(*(char *const *)a, *(char *const *)b); }

static const char *children_of(struct String_vector *names) {
    static char text[TEXT];
    *text = 0;
    qsort(names->data, (size_t)names->count, sizeof *names->data, names_in_order);
    for (int i = 0; i < names->count; i++) {
        size_t used = strlen(text);
        snprintf(text + used, TEXT - used, " %s", names->data[i]);
    }
    deallocate_String_vector(names);
    return text;
}

static void creates(session_t *a) {
    struct { const char *name; int mode; int64_t ttl; } kinds[] = {
        {"/persistent", ZOO_PERSISTENT, -1}, {"/ephemeral", ZOO_EPHEMERAL, -1}, {"/seq-", ZOO_PERSISTENT_SEQUENTIAL, -1}, {"/eseq-", ZOO_EPHEMERAL_SEQUENTIAL, -1}, {"/container", ZOO_CONTAINER, -1},
        {"/ttl", ZOO_PERSISTENT_WITH_TTL, 3600000}, {"/tseq-", ZOO_PERSISTENT_SEQUENTIAL_WITH_TTL, 3600000}, {"/t0", ZOO_PERSISTENT_WITH_TTL, 0}, {"/tmax", ZOO_PERSISTENT_WITH_TTL, (1LL << 40) - 1}, {"/tover", ZOO_PERSISTENT_WITH_TTL, 1LL << 40},
    };
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        for (int again = 0; again < 2; again++) {
            char made[1024] = "";
            struct Stat stat = {0};
            int rc = kinds[i].ttl < 0 ? zoo_create2(a->handle, path_of(kinds[i].name), "data", 4, &ZOO_OPEN_ACL_UNSAFE, kinds[i].mode, made, sizeof made, &stat)
                : zoo_create2_ttl(a->handle, path_of(kinds[i].name), "data", 4, &ZOO_OPEN_ACL_UNSAFE, kinds[i].mode, kinds[i].ttl, made, sizeof made, &stat);
            say("create2 %s mode %d: %s %s %s", kinds[i].name, kinds[i].mode, error(rc), rc ? "" : made, rc ? "" : stat_of(a, &stat));
            rc = kinds[i].ttl < 0 ? zoo_create(a->handle, path_of("/plain"), NULL, -1, &ZOO_OPEN_ACL_UNSAFE, kinds[i].mode, made, sizeof made)
                : zoo_create_ttl(a->handle, path_of("/plain"), NULL, -1, &ZOO_OPEN_ACL_UNSAFE, kinds[i].mode, kinds[i].ttl, made, sizeof made);
            say("create mode %d: %s %s", kinds[i].mode, error(rc), rc ? "" : made);
            if (rc == ZOK) {
                say("delete it: %s", error(zoo_delete(a->handle, made, 0)));
            }
        }
    }
    struct String_vector names = {0};
    struct Stat stat;
    say("children: %s", error(zoo_get_children2(a->handle, root, 0, &names, &stat)));
    say(" %s %s", children_of(&names), stat_of(a, &stat));
    say("create below an ephemeral: %s", error(zoo_create(a->handle, path_of("/ephemeral/x"), "", 0, &ZOO_OPEN_ACL_UNSAFE, 0, NULL, 0)));
    say("create with an empty ACL: %s", error(zoo_create(a->handle, path_of("/noacl"), "", 0, &(struct ACL_vector){0, NULL}, 0, NULL, 0)));
    char buffer[16];
    int length = sizeof buffer;
    zoo_create(a->handle, path_of("/null"), NULL, -1, &ZOO_OPEN_ACL_UNSAFE, 0, NULL, 0);
    int rc = zoo_get(a->handle, path_of("/null"), 0, buffer, &length, &stat);
    say("get of no data: %s length %d %s", error(rc), length, stat_of(a, &stat));
    rc = zoo_set2(a->handle, path_of("/null"), "abc", 3, 0, &stat);
    say("set2: %s %s", error(rc), stat_of(a, &stat));
    say("set at a wrong version: %s", error(zoo_set(a->handle, path_of("/null"), "abc", 3, 0)));
    say("delete of what is not: %s", error(zoo_delete(a->handle, path_of("/not"), -1)));
    say("delete of what has children: %s", error(zoo_delete(a->handle, root, -1)));
}

static void tell_multi(const char *what, session_t *session, int count, const zoo_op_t *ops) {
    zoo_op_result_t results[8];
    memset(results, 0, sizeof results);
    int rc = zoo_multi(session->handle, count, ops, results);
    say("multi of %s: %s", what, error(rc));
    for (int i = 0; i < count; i++) {
        say("  %d: %s %s", i, error(results[i].err), results[i].err == ZOK && results[i].value && rc == ZOK ? results[i].value : "");
    }
}

static void multis(session_t *a, session_t *b) {
    char first[1024], second[1024], third[1024];
    struct Stat set = {0};
    zoo_op_t ops[8];
    zoo_create_op_init(&ops[0], path_of("/m"), "0", 1, &ZOO_OPEN_ACL_UNSAFE, 0, first, sizeof first);
    zoo_create_op_init(&ops[1], path_of("/m/s-"), "", 0, &ZOO_OPEN_ACL_UNSAFE, ZOO_SEQUENCE | ZOO_EPHEMERAL, second, sizeof second);
    // No container: this client reads the server's answer to one as it was before 3.5.
    zoo_create_op_init(&ops[2], path_of("/m/box"), "", 0, &ZOO_OPEN_ACL_UNSAFE, 0, third, sizeof third);
    zoo_set_op_init(&ops[3], path_of("/m"), "xyz", 3, 0, &set);
    zoo_check_op_init(&ops[4], path_of("/m"), 1);
    zoo_delete_op_init(&ops[5], path_of("/m/box"), 0);
    tell_multi("every kind", a, 6, ops);
    say("  set: %s", stat_of(a, &set));
    tell_multi("the same again", a, 6, ops);
    zoo_check_op_init(&ops[0], path_of("/m"), 1);
    zoo_delete_op_init(&ops[1], path_of("/m"), -1);
    zoo_create_op_init(&ops[2], path_of("/m2"), "", 0, &ZOO_OPEN_ACL_UNSAFE, 0, third, sizeof third);
    tell_multi("a delete of what has children", a, 3, ops);
    zoo_check_op_init(&ops[1], path_of("/m"), 77);
    tell_multi("a check that fails", a, 3, ops);
    zoo_check_op_init(&ops[1], path_of("/not"), -1);
    tell_multi("a check of what is not", a, 3, ops);
    zoo_create_op_init(&ops[1], path_of("/m3"), "", 0, &(struct ACL_vector){0, NULL}, 0, second, sizeof second);
    tell_multi("a bad ACL", a, 3, ops);
    tell_multi("nothing", a, 0, ops);

    zoo_create(a->handle, path_of("/m4"), "", 0, &ZOO_OPEN_ACL_UNSAFE, 0, NULL, 0);
    catch_up(b);
    zoo_wget(b->handle, path_of("/m4"), on_data, b, first, &(int){1024}, &set);
    zoo_wexists(b->handle, path_of("/m5"), on_exists, b, &set);
    struct String_vector names = {0};
    zoo_wget_children(b->handle, root, on_children, b, &names);
    deallocate_String_vector(&names);
    zoo_set_op_init(&ops[0], path_of("/m4"), "1", 1, 0, NULL);
    zoo_create_op_init(&ops[1], path_of("/m5"), "", 0, &ZOO_OPEN_ACL_UNSAFE, 0, second, sizeof second);
    zoo_set_op_init(&ops[2], path_of("/m4"), "2", 1, 1, NULL);
    zoo_delete_op_init(&ops[3], path_of("/m5"), 0);
    tell_multi("what another watches", a, 4, ops);
    tell_events(b);
}

static void leave_watches(session_t *s, const char *path) {
    struct Stat stat;
    char data[64];
    int length = sizeof data;
    struct String_vector names = {0};
    say("watches of %s: exists %s", path, error(zoo_wexists(s->handle, path, on_exists, s, &stat)));
    say("  data %s", error(zoo_wget(s->handle, path, on_data, s, data, &length, &stat)));
    say("  children %s", error(zoo_wget_children(s->handle, path, on_children, s, &names)));
    deallocate_String_vector(&names);
}

static void watches(session_t *a, session_t *b) {
    const char *path = path_of("/watched"), *child = path_of("/watched/child");
    leave_watches(b, path);
    zoo_create(a->handle, path, "", 0, &ZOO_OPEN_ACL_UNSAFE, 0, NULL, 0);
    tell_events(b);
    leave_watches(b, path);
    zoo_set(a->handle, path, "1", 1, -1);
    tell_events(b);
    zoo_create(a->handle, child, "", 0, &ZOO_OPEN_ACL_UNSAFE, 0, NULL, 0);
    tell_events(b);
    leave_watches(b, path);
    zoo_delete(a->handle, child, -1);
    zoo_delete(a->handle, path, -1);
    tell_events(b);
    struct Stat stat;
    say("global watch: %s", error(zoo_exists(b->handle, path, 1, &stat)));
    zoo_create(a->handle, path, "", 0, &ZOO_OPEN_ACL_UNSAFE, 0, NULL, 0);
    tell_events(b);

    answer_t answer = {0};
    zoo_awexists(b->handle, path, on_exists, b, on_stat, &answer);
    wait_until("awexists is answered", is_done, &answer);
    say("awexists: %s", error(answer.rc));
    zoo_set_watcher(b->handle, on_swapped);
    say("another global watch: %s", error(zoo_exists(b->handle, path, 1, &stat)));
    zoo_set(a->handle, path, "1", 1, -1);
    tell_events(b);
    zoo_set_watcher(b->handle, on_global);

    struct { const char *name; ZooWatcherType type; watcher_fn fn; } removals[] = {
        {"data by its function", ZWATCHTYPE_DATA, on_data}, {"exists by its function", ZWATCHTYPE_DATA, on_exists}, {"children by its function", ZWATCHTYPE_CHILD, on_children}, {"children by a function that has none", ZWATCHTYPE_CHILD, on_data},
        {"any of a function", ZWATCHTYPE_ANY, on_children},
    };
    for (size_t i = 0; i < sizeof removals / sizeof *removals; i++) {
        leave_watches(b, path);
        say("remove %s: %s", removals[i].name, error(zoo_remove_watches(b->handle, path, removals[i].type, removals[i].fn, b, 0)));
        zoo_create(a->handle, child, "", 0, &ZOO_OPEN_ACL_UNSAFE, 0, NULL, 0);
        zoo_delete(a->handle, child, -1);
        zoo_set(a->handle, path, "2", 1, -1);
        tell_events(b);
    }
    ZooWatcherType types[] = {ZWATCHTYPE_DATA, ZWATCHTYPE_CHILD, ZWATCHTYPE_ANY};
    for (int i = 0; i < 3; i++) {
        leave_watches(b, path);
        say("remove all of type %d: %s", types[i], error(zoo_remove_all_watches(b->handle, path, types[i], 0)));
        say("once more: %s", error(zoo_remove_all_watches(b->handle, path, types[i], 0)));
        zoo_create(a->handle, child, "", 0, &ZOO_OPEN_ACL_UNSAFE, 0, NULL, 0);
        zoo_delete(a->handle, child, -1);
        zoo_set(a->handle, path, "2", 1, -1);
        tell_events(b);
    }
}

// Shuts the socket down under the client, which connects again and sets its watches again.
static void cut(session_t *session) {
    struct sockaddr_storage peer, wanted;
    socklen_t length = sizeof wanted;
    if (!zookeeper_get_connected_host(session->handle, (struct sockaddr *)&wanted, &length)) {
        fail("the connected host is not known");
    }
    pthread_mutex_lock(&lock);
    session->state = 0;
    pthread_mutex_unlock(&lock);
    session_t *marked = session;
    for (int fd = 3; fd < 256; fd++) {
        length = sizeof peer;
        if (getpeername(fd, (struct sockaddr *)&peer, &length) == 0 && peer.ss_family == AF_INET) {
            shutdown(fd, SHUT_RDWR);
        }
    }
    wait_until("the client connects again", is_connected, marked);
}

static void lost_connections(session_t *a, session_t *b) {
    const char *kept = path_of("/watched"), *later = path_of("/later"), *mine = path_of("/mine-still");
    struct Stat stat;
    zoo_create(b->handle, mine, "", 0, &ZOO_OPEN_ACL_UNSAFE, ZOO_EPHEMERAL, NULL, 0);
    leave_watches(b, kept);
    zoo_wexists(b->handle, later, on_exists, b, &stat);
    int64_t id = zoo_client_id(b->handle)->client_id;
    pthread_mutex_lock(&lock);
    a->state = 0;
    pthread_mutex_unlock(&lock);
    cut(b);
    wait_until("the other client connects again", is_connected, a);
    say("after the connection was cut: the session is %s", zoo_client_id(b->handle)->client_id == id ? "the same" : "another");
    int rc = zoo_exists(b->handle, mine, 0, &stat);
    say("its ephemeral: %s %s", error(rc), stat_of(b, &stat));
    say("set: %s", error(zoo_set(a->handle, kept, "3", 1, -1)));
    say("create: %s", error(zoo_create(a->handle, later, "", 0, &ZOO_OPEN_ACL_UNSAFE, 0, NULL, 0)));
    tell_events(b);
}

static void rights(session_t *a, const char *servers) {
    answer_t answer = {0};
    say("add_auth digest is sent: %s", error(zoo_add_auth(a->handle, "digest", "bob:secret", 10, on_void, &answer)));
    wait_until("digest is answered", is_done, &answer);
    say("digest: %s", error(answer.rc));
    say("create for its creator alone: %s", error(zoo_create(a->handle, path_of("/bobs"), "s", 1, &ZOO_CREATOR_ALL_ACL, 0, NULL, 0)));
    struct ACL_vector entries = {0};
    struct Stat stat;
    int rc = zoo_get_acl(a->handle, path_of("/bobs"), &entries, &stat);
    say("get_acl: %s %s", error(rc), stat_of(a, &stat));
    for (int i = 0; i < entries.count; i++) {
        say("  %d %s %s", entries.data[i].perms, entries.data[i].id.scheme, entries.data[i].id.id);
    }
    deallocate_ACL_vector(&entries);
    session_t *stranger = open_session(servers, "stranger", 0);
    char data[16];
    int length = sizeof data;
    say("a stranger's get: %s", error(zoo_get(stranger->handle, path_of("/bobs"), 0, data, &length, &stat)));
    say("a stranger's set: %s", error(zoo_set(stranger->handle, path_of("/bobs"), "x", 1, -1)));
    say("a stranger's set_acl: %s", error(zoo_set_acl(stranger->handle, path_of("/bobs"), -1, &ZOO_OPEN_ACL_UNSAFE)));
    say("set_acl read only: %s", error(zoo_set_acl(a->handle, path_of("/bobs"), 0, &ZOO_READ_ACL_UNSAFE)));
    say("set_acl at a wrong version: %s", error(zoo_set_acl(a->handle, path_of("/bobs"), 0, &ZOO_READ_ACL_UNSAFE)));
    length = sizeof data;
    say("a stranger's get then: %s", error(zoo_get(stranger->handle, path_of("/bobs"), 0, data, &length, &stat)));

    answer_t refused = {0};
    zoo_add_auth(stranger->handle, "no-such-scheme", "x", 1, on_void, &refused);
    wait_until("the unknown scheme is answered", is_done, &refused);
    say("add_auth of an unknown scheme: %s", error(refused.rc));
    wait_until("the client is told", is_refused, stranger);
    say("the stranger's state: authentication failed; exists: %s", error(zoo_exists(stranger->handle, root, 0, &stat)));
    zookeeper_close(stranger->handle);
}

static void administration(session_t *a) {
    char config[TEXT];
    int length = sizeof config;
    struct Stat stat;
    int rc = zoo_getconfig(a->handle, 0, config, &length, &stat);
    say("getconfig: %s %s", error(rc), length > 0 && strstr(config, "version=") == NULL ? "without a version" : "empty, or with a version");
    length = sizeof config;
    say("reconfig: %s", error(zoo_reconfig(a->handle, NULL, "9", NULL, -1, config, &length, &stat)));
    length = sizeof config;
    say("reconfig of members: %s", error(zoo_reconfig(a->handle, NULL, NULL, "server.1=127.0.0.1:1:2:participant;3", -1, config, &length, &stat)));
}

int main(int argc, char **argv) {
    if (argc != 3) {
        fprintf(stderr, "usage: answers HOST:PORT[,HOST:PORT...] ROOT\n");
        return 2;
    }
    root = argv[2];
    snprintf(barrier, sizeof barrier, "%s-barrier", root);
    zoo_set_debug_level((ZooLogLevel)0);
    zoo_deterministic_conn_order(1);
    char first[256];
    snprintf(first, sizeof first, "%s", argv[1]);
    first[strcspn(first, ",")] = 0;
    const char *last = strrchr(argv[1], ',') ? strrchr(argv[1], ',') + 1 : argv[1];
    session_t *a = open_session(first, "a", 0), *b = open_session(last, "b", ZOO_READONLY);
    say("a read-only client on a server that writes: state %s", zoo_state(b->handle) == ZOO_CONNECTED_STATE ? "connected" : "other");
    say("timeout %d", zoo_recv_timeout(a->handle));
    zoo_create(a->handle, barrier, "", 0, &ZOO_OPEN_ACL_UNSAFE, 0, NULL, 0);
    say("create the root: %s", error(zoo_create(a->handle, root, "", 0, &ZOO_OPEN_ACL_UNSAFE, 0, NULL, 0)));
    creates(a);
    multis(a, b);
    watches(a, b);
    lost_connections(a, b);
    rights(a, first);
    administration(a);
    zookeeper_close(b->handle);
    tell_events(a);
    struct Stat stat;
    say("the ephemeral of a closed session: %s", error(zoo_exists(a->handle, path_of("/mine-still"), 0, &stat)));
    zookeeper_close(a->handle);
    return 0;
}
