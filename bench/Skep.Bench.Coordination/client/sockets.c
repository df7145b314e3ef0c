// Requests a second with frames on sockets, all sessions in one thread. The library takes seven calls of the kernel a request, which
// on few cores is most of what is measured of a fast server; this takes one for as many as there are.
#include "frames.h"
#include "tally.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#define FRAME_BYTES 512 // no request is longer
#define INPUT_BYTES (256 * 1024)

// Answers come in the order of the requests, so a ring of times is all there is to know of those under way.
struct session {
    int fd;
    int window, first, under_way;
    int64_t *issued_ns;
    unsigned next;
    char *output;
    size_t filled, sent;
    int blocked;
    char *input;
    size_t have;
};

static enum operation what;
static struct frame templates[2][NODES]; // reads, writes
static struct frame creation;
static struct tally tally;
static int64_t deadline_ns, last_answer_ns, longest_gap_ns;
static int poller;

static void issue(struct session *s, int64_t now)
{
    unsigned number = s->next++;
    int write = what == SET || (what == MIX && number % 10 == 0);
    const struct frame *f = what == CREATE ? &creation : &templates[write][(what == MIX && write ? number / 10 : number) % NODES];
    memcpy(s->output + s->filled, f->bytes, f->length);
    s->filled += f->length;
    s->issued_ns[(s->first + s->under_way++) % s->window] = now;
}

static void flush(struct session *s)
{
    while (s->sent < s->filled) {
        ssize_t n = send(s->fd, s->output + s->sent, s->filled - s->sent, 0);
        if (n < 0 && errno != EAGAIN) {
            die("a connection broke: %s", strerror(errno));
        }
        if (n < 0) {
            break;
        }
        s->sent += (size_t)n;
    }
    memmove(s->output, s->output + s->sent, s->filled - s->sent);
    s->filled -= s->sent;
    s->sent = 0;
    int blocked = s->filled > 0;
    if (blocked != s->blocked) {
        struct epoll_event wanted = {.events = blocked ? EPOLLIN | EPOLLOUT : EPOLLIN, .data.ptr = s};
        epoll_ctl(poller, EPOLL_CTL_MOD, s->fd, &wanted);
        s->blocked = blocked;
    }
}

static void take(struct session *s, int error, int64_t now)
{
    int64_t issued = s->issued_ns[s->first];
    s->first = (s->first + 1) % s->window;
    s->under_way--;
    if (now >= deadline_ns) {
        return;
    }
    if (error) {
        tally.errors++;
    } else {
        count_answer(&tally, (now - issued) / 1000);
        longest_gap_ns = now - last_answer_ns > longest_gap_ns ? now - last_answer_ns : longest_gap_ns;
        last_answer_ns = now;
    }
    issue(s, now);
}

static void read_from(struct session *s)
{
    ssize_t n = recv(s->fd, s->input + s->have, INPUT_BYTES - s->have, 0);
    if (n <= 0) {
        if (n < 0 && errno == EAGAIN) {
            return;
        }
        die("a connection was closed");
    }
    s->have += (size_t)n;
    size_t at = 0;
    int64_t now = now_ns();
    while (s->have - at >= 4 && s->have - at >= 4 + (size_t)int_at(s->input + at)) {
        if (int_at(s->input + at + 4) > 0) {
            take(s, int_at(s->input + at + 16), now);
        }
        at += 4 + (size_t)int_at(s->input + at);
    }
    memmove(s->input, s->input + at, s->have -= at);
}

static int under_way(const struct session *sessions, int count)
{
    int sum = 0;
    for (int i = 0; i < count; i++) {
        sum += sessions[i].under_way;
    }
    return sum;
}

static void serve(int wait_ms)
{
    struct epoll_event events[64];
    int n = epoll_wait(poller, events, 64, wait_ms);
    for (int i = 0; i < n; i++) {
        struct session *s = events[i].data.ptr;
        if (events[i].events & ~(uint32_t)EPOLLOUT) {
            read_from(s);
        }
        flush(s);
    }
}

static void prepare(int aside)
{
    static struct frame f;
    static char reply[4096];
    char path[16];
    for (int i = -2; i < NODES; i++) {
        snprintf(path, sizeof path, "/bench/n-%02d", i);
        make_create(&f, 1, i == -2 ? "/bench" : i == -1 ? QUEUE : path, PERSISTENT);
        int error = ask_once(aside, &f, reply, sizeof reply);
        if (error && error != NODE_EXISTS) {
            die("the nodes cannot be made: %d", error);
        }
        if (i >= 0) {
            make_get(&templates[0][i], 1, path, 0);
            make_set(&templates[1][i], 1, path);
        }
    }
    make_create(&creation, 1, QUEUE "/n-", EPHEMERAL_SEQUENTIAL);
}

static void open_session(struct session *s, const char *server, int window, const struct options *o)
{
    static char reply[4096];
    memset(s, 0, sizeof *s);
    s->fd = open_blocking(server, o->timeout_ms);
    if (s->fd < 0) {
        die("no session with %s", server);
    }
    // A follower may be behind by what has just been made at another server.
    while (ask_once(s->fd, &templates[0][NODES - 1], reply, sizeof reply)) {
        usleep(1000);
    }
    s->window = window;
    s->issued_ns = calloc((size_t)window, sizeof *s->issued_ns);
    s->output = malloc((size_t)window * FRAME_BYTES);
    s->input = malloc(INPUT_BYTES);
    fcntl(s->fd, F_SETFL, O_NONBLOCK);
    struct epoll_event wanted = {.events = EPOLLIN, .data.ptr = s};
    epoll_ctl(poller, EPOLL_CTL_ADD, s->fd, &wanted);
}

// Closes every session, and waits until the ephemerals of all are gone: the next measurement must not pay for them.
static void finish(struct session *sessions, int count, const struct options *o)
{
    static struct frame f;
    static char reply[4096];
    make_close(&f, 2);
    for (int i = 0; i < count; i++) {
        fcntl(sessions[i].fd, F_SETFL, 0);
        if (!send_all(sessions[i].fd, &f)) {
            receive(sessions[i].fd, reply, sizeof reply);
        }
        close(sessions[i].fd);
    }
    int aside = open_blocking(o->servers[0], o->timeout_ms);
    begin(&f, 3, OP_EXISTS);
    put_string(&f, QUEUE);
    f.bytes[f.length++] = 0;
    end(&f);
    for (int waited_ms = 0; aside >= 0 && waited_ms < 60000; waited_ms += 50) {
        // Among the stat's fields, children are the last but one.
        if (ask_once(aside, &f, reply, sizeof reply) || int_at(reply + REPLY_HEAD_BYTES + 56) == 0) {
            break;
        }
        usleep(50000);
    }
}

int run_sockets(const struct options *o, enum operation operation)
{
    what = operation;
    poller = epoll_create1(EPOLL_CLOEXEC);
    int aside = open_blocking(o->servers[0], o->timeout_ms);
    if (aside < 0) {
        die("no session with %s", o->servers[0]);
    }
    prepare(aside);
    close(aside);
    int count = o->sessions < o->outstanding ? o->sessions : o->outstanding;
    struct session *sessions = calloc((size_t)count, sizeof *sessions);
    for (int i = 0; i < count; i++) {
        open_session(&sessions[i], o->servers[i % o->server_count], o->outstanding / count + (i < o->outstanding % count), o);
        sessions[i].next = (unsigned)(i * NODES / count + getpid());
    }

    wait_go();
    last_answer_ns = now_ns();
    deadline_ns = last_answer_ns + (int64_t)(o->seconds * 1e9);
    for (int i = 0; i < count; i++) {
        for (int c = 0; c < sessions[i].window; c++) {
            issue(&sessions[i], now_ns());
        }
        flush(&sessions[i]);
    }
    for (int64_t look_ns = 0; now_ns() < deadline_ns;) {
        serve(10);
        if (now_ns() > look_ns) {
            look_ns = now_ns() + 100000000;
            if (is_orphan(0)) {
                return 1;
            }
        }
    }
    int64_t tail = deadline_ns - last_answer_ns;
    for (int64_t patience = now_ns() + 5000000000; under_way(sessions, count) && now_ns() < patience;) {
        serve(10);
    }
    print_tally(&tally, o->seconds, tail > longest_gap_ns ? tail : longest_gap_ns);
    finish(sessions, count, o);
    return 0;
}
