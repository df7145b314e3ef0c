// Many sessions in one thread: the library has two threads a session. They ping, and each may watch one node.
#include "frames.h"

#include <errno.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#define OPENING_AT_ONCE 48
#define WATCHED "/watched"
#define XID_ARM 7

enum state { DIALLING, ASKING, OPEN, LOST };

struct connection {
    int fd;
    enum state state;
    int64_t ping_ns;
    size_t have;
    char bytes[1024];
};

static struct connection *all;
static int total, opening, opened, lost, armed, fired;
static int poller;
static struct frame connect_frame, ping_frame, arm_frame;
static int64_t ping_every_ns, last_event_ns;

static void lose(struct connection *c)
{
    opening -= c->state < OPEN;
    opened -= c->state == OPEN;
    lost++;
    c->state = LOST;
    close(c->fd);
}

// Frames this small go whole or not at all.
static void say(struct connection *c, const struct frame *f)
{
    if (send(c->fd, f->bytes, f->length, 0) != (ssize_t)f->length) {
        lose(c);
    }
}

static void open_next(const struct options *o, int index)
{
    struct connection *c = &all[index];
    c->fd = dial(o->servers[index % o->server_count], 0);
    c->state = DIALLING;
    opening++;
    if (c->fd < 0) {
        die("%s takes no connection", o->servers[index % o->server_count]);
    }
    struct epoll_event wanted = {.events = EPOLLIN | EPOLLOUT, .data.ptr = c};
    epoll_ctl(poller, EPOLL_CTL_ADD, c->fd, &wanted);
}

static void take_frame(struct connection *c)
{
    if (c->state == ASKING) {
        // Pings of sessions opened together would come together.
        c->state = OPEN;
        c->ping_ns = now_ns() + (int64_t)((double)ping_every_ns * rand() / RAND_MAX);
        opening--;
        opened++;
        return;
    }
    int32_t xid = int_at(c->bytes + 4);
    if (xid == XID_EVENT) {
        fired++;
        last_event_ns = now_ns();
    } else if (xid == XID_ARM) {
        if (int_at(c->bytes + 16)) {
            die("a getData with a watch was refused with %d", int_at(c->bytes + 16));
        }
        armed++;
    }
}

static void read_from(struct connection *c)
{
    ssize_t n = recv(c->fd, c->bytes + c->have, sizeof c->bytes - c->have, 0);
    if (n <= 0) {
        if (n == 0 || errno != EAGAIN) {
            lose(c);
        }
        return;
    }
    c->have += (size_t)n;
    while (c->have >= 4 && c->have >= 4 + (size_t)int_at(c->bytes)) {
        size_t length = 4 + (size_t)int_at(c->bytes);
        take_frame(c);
        memmove(c->bytes, c->bytes + length, c->have -= length);
    }
}

// Serves all connections once, waiting at most so long; says whether stdin has something.
static int serve(int wait_ms)
{
    static struct epoll_event events[512];
    static int64_t next_look_ns;
    int said = 0, n = epoll_wait(poller, events, 512, wait_ms);
    for (int i = 0; i < n; i++) {
        struct connection *c = events[i].data.ptr;
        if (!c) {
            said = 1;
        } else if (c->state == DIALLING && events[i].events & EPOLLOUT) {
            struct epoll_event wanted = {.events = EPOLLIN, .data.ptr = c};
            epoll_ctl(poller, EPOLL_CTL_MOD, c->fd, &wanted);
            c->state = ASKING;
            say(c, &connect_frame);
        } else if (c->state != LOST) {
            read_from(c);
        }
    }
    int64_t now = now_ns();
    if (now >= next_look_ns) {
        next_look_ns = now + 50000000;
        for (int i = 0; i < total; i++) {
            if (all[i].state == OPEN && all[i].ping_ns <= now) {
                all[i].ping_ns = now + ping_every_ns;
                say(&all[i], &ping_frame);
            }
        }
    }
    return said;
}

static void serve_until(const char *phase, const int *number, int wanted)
{
    int64_t patience = now_ns() + 120000000000;
    while (*number < wanted) {
        serve(20);
        if (lost) {
            die("%d sessions were lost while %s", lost, phase);
        }
        if (now_ns() > patience) {
            die("waited 120 s in vain while %s: %d of %d", phase, *number, wanted);
        }
    }
}

// A session that lives for one write.
static int open_writer(const struct options *o)
{
    static struct frame f;
    char reply[256];
    int fd = open_blocking(o->servers[0], o->timeout_ms);
    make_create(&f, 1, WATCHED, PERSISTENT);
    int error = fd < 0 ? 0 : ask_once(fd, &f, reply, sizeof reply);
    if (fd < 0 || (error && error != NODE_EXISTS)) {
        die("%s does not take %s", o->servers[0], WATCHED);
    }
    return fd;
}

static void fire(const struct options *o)
{
    static struct frame f;
    int writer = open_writer(o);
    armed = fired = 0;
    if (lost) {
        die("%d sessions were lost", lost);
    }
    for (int i = 0; i < total; i++) {
        say(&all[i], &arm_frame);
        if (i % 256 == 0) {
            serve(0);
        }
    }
    serve_until("watches were set", &armed, total);
    for (int64_t calm = now_ns() + 500000000; now_ns() < calm;) {
        serve(20);
    }

    make_set(&f, 2, WATCHED);
    int64_t issued = now_ns();
    if (send_all(writer, &f)) {
        die("the writer lost its connection");
    }
    // The writer's answer is looked at between the events, and stands among them.
    int64_t answered = 0;
    char reply[256];
    while (fired < total || !answered) {
        if (!answered && recv(writer, reply, sizeof reply, MSG_DONTWAIT) >= REPLY_HEAD_BYTES) {
            answered = now_ns();
            if (int_at(reply + 16)) {
                die("the write was refused with %d", int_at(reply + 16));
            }
        }
        serve(answered ? 20 : 1);
        if (lost || now_ns() - issued > 120000000000) {
            die("%d of %d watches fired, %d sessions were lost", fired, total, lost);
        }
    }
    printf("{\"count\":%d,\"issue_to_last_us\":%.0f,\"answer_to_last_us\":%.0f}\n", total,
           (double)(last_event_ns - issued) / 1e3, (double)(last_event_ns - answered) / 1e3);
    close(writer);
}

int run_sessions(const struct options *o)
{
    total = o->count;
    all = calloc((size_t)total, sizeof *all);
    poller = epoll_create1(EPOLL_CLOEXEC);
    ping_every_ns = (int64_t)o->timeout_ms * 1000000 / 3;
    make_connect(&connect_frame, o->timeout_ms);
    make_ping(&ping_frame);
    make_get(&arm_frame, XID_ARM, WATCHED, 1);

    // Makes the node before any session looks for it.
    close(open_writer(o));
    int64_t began = now_ns();
    for (int next = 0; opened < total;) {
        while (next < total && opening < OPENING_AT_ONCE) {
            open_next(o, next++);
        }
        serve(20);
        if (lost) {
            die("a session was lost when %d were open", opened);
        }
    }
    printf("{\"open\":%d,\"seconds\":%.3f}\n", opened, (double)(now_ns() - began) / 1e9);

    struct epoll_event wanted = {.events = EPOLLIN, .data.ptr = NULL};
    epoll_ctl(poller, EPOLL_CTL_ADD, 0, &wanted);
    for (;;) {
        char line[64];
        if (serve(20)) {
            if (read(0, line, sizeof line) <= 0) {
                break;
            }
            fire(o);
        }
    }
    printf("{\"open\":%d,\"errors\":%d}\n", opened, lost);
    return 0;
}
