// What needs one connection only: the nodes made beforehand, the first answer of a server, and whether servers take writes.
#include "frames.h"

#include <errno.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#define NODES_A_MULTI 100
#define NODES_A_PARENT 1000
#define PATIENCE_NS 300000000000
#define ATTEMPTS 100
#define ATTEMPT_EVERY_NS 10000000

// Connects; without waiting, the connection may still be under way. -1: nobody there.
int dial(const char *server, int wait)
{
    char host[256];
    const char *colon = strrchr(server, ':');
    if (!colon || (size_t)(colon - server) >= sizeof host) {
        die("%s is not host:port", server);
    }
    memcpy(host, server, (size_t)(colon - server));
    host[colon - server] = 0;
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)atoi(colon + 1))};
    if (inet_pton(AF_INET, host, &address.sin_addr) != 1) {
        die("%s is not an IPv4 address", host);
    }
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | (wait ? 0 : SOCK_NONBLOCK), 0);
    if (fd < 0) {
        die("no more sockets: %s (raise ulimit -n)", strerror(errno));
    }
    int yes = 1;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
    struct timeval patience = {.tv_sec = 60};
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    if (connect(fd, (struct sockaddr *)&address, sizeof address) && errno != EINPROGRESS) {
        close(fd);
        return -1;
    }
    return fd;
}

int send_all(int fd, const struct frame *f)
{
    for (size_t sent = 0; sent < f->length;) {
        ssize_t n = send(fd, f->bytes + sent, f->length - sent, 0);
        if (n <= 0) {
            return -1;
        }
        sent += (size_t)n;
    }
    return 0;
}

// Receives one frame with its length; returns how long it is, or -1.
int receive(int fd, char *into, size_t size)
{
    size_t have = 0, want = 4;
    while (have < want) {
        ssize_t n = recv(fd, into + have, want - have, 0);
        if (n <= 0) {
            return -1;
        }
        have += (size_t)n;
        if (want == 4 && have == 4) {
            want += (size_t)int_at(into);
            if (want > size) {
                die("a frame of %zu bytes came", want);
            }
        }
    }
    return (int)have;
}

// A session on a socket that waits, or -1.
int open_blocking(const char *server, int timeout_ms)
{
    static struct frame f;
    static char reply[1024];
    int fd = dial(server, 1);
    if (fd < 0) {
        return -1;
    }
    make_connect(&f, timeout_ms);
    if (send_all(fd, &f) || receive(fd, reply, sizeof reply) < 0) {
        close(fd);
        return -1;
    }
    return fd;
}

// Asks on a socket that waits; returns the answer's error code.
int ask_once(int fd, const struct frame *f, char *reply, size_t size)
{
    if (send_all(fd, f) || receive(fd, reply, size) < REPLY_HEAD_BYTES) {
        die("a connection broke");
    }
    return int_at(reply + 16);
}

// A server that starts may take a connection and never answer on it, so a new attempt begins all the time beside those under way.
struct attempt {
    int fd;
    int asked;
};

// Takes an attempt on; says whether the answer is there, and its error code.
static int go_on(struct attempt *a, const struct frame *f, int *error)
{
    static char reply[1024];
    if (receive(a->fd, reply, sizeof reply) < 0 || (!a->asked && send_all(a->fd, f))) {
        close(a->fd);
        a->fd = -1;
        return 0;
    }
    *error = int_at(reply + 16);
    return a->asked++;
}

// Asks until there is an answer; returns its error code.
static int ask(const char *server, const struct frame *f, int timeout_ms)
{
    static struct frame opening;
    struct attempt attempts[ATTEMPTS];
    struct pollfd waiting[ATTEMPTS];
    int error = 0, answered = 0, next = 0;
    memset(attempts, -1, sizeof attempts);
    make_connect(&opening, timeout_ms);
    for (int64_t began = now_ns(), next_ns = 0; !answered;) {
        if (now_ns() - began > PATIENCE_NS) {
            die("%s gave no answer", server);
        }
        if (now_ns() >= next_ns) {
            struct attempt *a = &attempts[next++ % ATTEMPTS];
            next_ns = now_ns() + ATTEMPT_EVERY_NS;
            if (a->fd >= 0) {
                close(a->fd);
            }
            *a = (struct attempt){.fd = dial(server, 1)};
            if (a->fd >= 0 && send_all(a->fd, &opening)) {
                close(a->fd);
                a->fd = -1;
            }
        }
        for (int i = 0; i < ATTEMPTS; i++) {
            waiting[i] = (struct pollfd){.fd = attempts[i].fd, .events = POLLIN};
        }
        poll(waiting, ATTEMPTS, 1);
        for (int i = 0; i < ATTEMPTS && !answered; i++) {
            answered = waiting[i].revents && go_on(&attempts[i], f, &error);
        }
    }
    for (int i = 0; i < ATTEMPTS; i++) {
        if (attempts[i].fd >= 0) {
            close(attempts[i].fd);
        }
    }
    return error;
}

int run_first(const struct options *o)
{
    static struct frame f;
    make_get(&f, 1, o->path, 0);
    int error = ask(o->servers[0], &f, o->timeout_ms);
    if (error) {
        die("%s answered a getData of %s with %d", o->servers[0], o->path, error);
    }
    puts("{}");
    return 0;
}

int run_ready(const struct options *o)
{
    static struct frame f;
    make_create(&f, 1, "/ready", PERSISTENT);
    for (int i = 0; i < o->server_count; i++) {
        int error;
        while ((error = ask(o->servers[i], &f, o->timeout_ms)) && error != NODE_EXISTS) {
            usleep(100000);
        }
    }
    puts("{}");
    return 0;
}

int run_fill(const struct options *o)
{
    static struct frame f;
    static char reply[64 * 1024];
    int fd = open_blocking(o->servers[0], o->timeout_ms);
    if (fd < 0) {
        die("no session with %s", o->servers[0]);
    }
    int64_t began = now_ns();
    int made = 0, sent = 0, received = 0, parents = 0;
    make_create(&f, 0, o->path, PERSISTENT);
    for (;;) {
        if (f.length && send_all(fd, &f)) {
            die("the connection broke at node %d", made);
        }
        sent += f.length > 0;
        f.length = 0;
        if (made == o->count && received == sent) {
            break;
        }
        if (made == o->count || sent - received >= o->outstanding) {
            int length = receive(fd, reply, sizeof reply);
            if (length < REPLY_HEAD_BYTES || (int_at(reply + 16) && int_at(reply + 16) != NODE_EXISTS)) {
                die("a multi was refused with %d", length < REPLY_HEAD_BYTES ? 0 : int_at(reply + 16));
            }
            received++;
            continue;
        }
        char path[256];
        begin(&f, sent, OP_MULTI);
        for (int i = 0; i < NODES_A_MULTI && made < o->count; i++) {
            if (made == parents * NODES_A_PARENT) {
                put_int(&f, OP_CREATE);
                put_zeros(&f, 1);
                put_int(&f, -1);
                snprintf(path, sizeof path, "%s/%d", o->path, parents++);
                put_create(&f, path, DATA_BYTES, PERSISTENT);
            }
            put_int(&f, OP_CREATE);
            put_zeros(&f, 1);
            put_int(&f, -1);
            snprintf(path, sizeof path, "%s/%d/%d", o->path, parents - 1, made++);
            put_create(&f, path, DATA_BYTES, PERSISTENT);
        }
        put_int(&f, -1);
        f.bytes[f.length++] = 1;
        put_int(&f, -1);
        end(&f);
    }
    printf("{\"count\":%d,\"seconds\":%.3f}\n", made, (double)(now_ns() - began) / 1e9);
    return 0;
}
