// The few frames of ZooKeeper's protocol that are written by hand (jute: big-endian, a length before each frame, buffer and string).
#ifndef FRAMES_H
#define FRAMES_H

#include "load.h"

#include <arpa/inet.h>
#include <string.h>

enum { OP_CREATE = 1, OP_EXISTS = 3, OP_GET = 4, OP_SET = 5, OP_PING = 11, OP_MULTI = 14, OP_CLOSE = -11 };
enum { XID_PING = -2, XID_EVENT = -1 };
enum { NODE_EXISTS = -110, NO_NODE = -101 };
enum { PERSISTENT = 0, EPHEMERAL_SEQUENTIAL = 3 };
#define REPLY_HEAD_BYTES 20 // length, xid, zxid, error

struct frame {
    size_t length;
    char bytes[64 * 1024];
};

static inline void put_int(struct frame *f, int32_t value)
{
    uint32_t big = htonl((uint32_t)value);
    memcpy(f->bytes + f->length, &big, 4);
    f->length += 4;
}

static inline void put_zeros(struct frame *f, size_t count)
{
    memset(f->bytes + f->length, 0, count);
    f->length += count;
}

static inline void put_bytes(struct frame *f, const char *value, size_t length)
{
    put_int(f, (int32_t)length);
    memcpy(f->bytes + f->length, value, length);
    f->length += length;
}

static inline void put_string(struct frame *f, const char *value) { put_bytes(f, value, strlen(value)); }

static inline int32_t int_at(const char *bytes)
{
    uint32_t big;
    memcpy(&big, bytes, 4);
    return (int32_t)ntohl(big);
}

static inline void begin(struct frame *f, int32_t xid, int32_t operation)
{
    f->length = 4;
    put_int(f, xid);
    put_int(f, operation);
}

// Writes the length, which is known now.
static inline void end(struct frame *f)
{
    uint32_t big = htonl((uint32_t)(f->length - 4));
    memcpy(f->bytes, &big, 4);
}

static inline void put_create(struct frame *f, const char *path, size_t data_bytes, int flags)
{
    put_string(f, path);
    put_int(f, (int32_t)data_bytes);
    put_zeros(f, data_bytes);
    put_int(f, 1); // one rule: all rights for anyone
    put_int(f, 31);
    put_string(f, "world");
    put_string(f, "anyone");
    put_int(f, flags);
}

static inline void make_connect(struct frame *f, int32_t timeout_ms)
{
    f->length = 4;
    put_zeros(f, 12); // version, last zxid seen
    put_int(f, timeout_ms);
    put_zeros(f, 8); // a new session
    put_int(f, 16);
    put_zeros(f, 17); // password, not read-only
    end(f);
}

static inline void make_create(struct frame *f, int32_t xid, const char *path, int flags)
{
    begin(f, xid, OP_CREATE);
    put_create(f, path, DATA_BYTES, flags);
    end(f);
}

static inline void make_get(struct frame *f, int32_t xid, const char *path, int watch)
{
    begin(f, xid, OP_GET);
    put_string(f, path);
    f->bytes[f->length++] = (char)watch;
    end(f);
}

static inline void make_set(struct frame *f, int32_t xid, const char *path)
{
    begin(f, xid, OP_SET);
    put_string(f, path);
    put_int(f, DATA_BYTES);
    put_zeros(f, DATA_BYTES);
    put_int(f, -1); // whatever version
    end(f);
}

static inline void make_close(struct frame *f, int32_t xid)
{
    begin(f, xid, OP_CLOSE);
    end(f);
}

static inline void make_ping(struct frame *f)
{
    begin(f, XID_PING, OP_PING);
    end(f);
}

// blocking.c
int dial(const char *server, int wait);
int send_all(int fd, const struct frame *f);
int receive(int fd, char *into, size_t size);
int open_blocking(const char *server, int timeout_ms);
int ask_once(int fd, const struct frame *f, char *reply, size_t size);

#endif
