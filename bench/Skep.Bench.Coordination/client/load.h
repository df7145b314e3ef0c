// What the parts of the load client share.
#ifndef LOAD_H
#define LOAD_H

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#define MAX_SERVERS 16
#define DATA_BYTES 128
#define NODES 100 // that are read and written; /bench/n-00 and so on
#define QUEUE "/bench/queue"

struct options {
    char *servers[MAX_SERVERS];
    int server_count;
    int outstanding; // of this process
    int sessions;
    int count;
    int timeout_ms;
    double seconds;
    const char *path;
    int sockets; // whether rates do without the library
};

static inline int64_t now_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

#define die(...) (fprintf(stderr, "load: " __VA_ARGS__), fputc('\n', stderr), exit(1))

enum operation { SET, GET, CREATE, MIX };
int run_library(const struct options *o, enum operation operation);
int run_sockets(const struct options *o, enum operation operation);

// These write frames on sockets, too.
int run_sessions(const struct options *o); // reads "go" lines: each arms a watch in every session and fires it
int run_fill(const struct options *o);
int run_first(const struct options *o);
int run_ready(const struct options *o);

#endif
