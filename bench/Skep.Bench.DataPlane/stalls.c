// What the machine itself takes away: the pause bench's loop with 200 accesses to 64 MiB of memory in place of a burst, on the same core.
//   stalls CORE SECONDS MPPS
// prints how long after it was due each "burst" of 32 was done.
#define _GNU_SOURCE
#include <sched.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { burst = 32, accesses = 200, buckets_per_us = 10, longest_us = 100000 };

static uint64_t now_ns(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec;
}

int main(int count, char** args) {
  if (count != 4) return 2;
  cpu_set_t core;
  CPU_ZERO(&core);
  CPU_SET(atoi(args[1]), &core);
  sched_setaffinity(0, sizeof core, &core);
  const size_t bytes = (size_t)64 << 20;
  uint64_t* memory = aligned_alloc(4096, bytes);
  memset(memory, 1, bytes);
  static uint64_t waits[longest_us * buckets_per_us + 1];
  const uint64_t step = (uint64_t)(burst * 1000 / atof(args[3])), end = now_ns() + (uint64_t)(atof(args[2]) * 1e9);
  uint64_t random = 88172645463325252u, done = 0, worst = 0;
  for (uint64_t due = now_ns(); due < end; due += step, done++) {
    while (now_ns() < due) __builtin_ia32_pause();
    for (int i = 0; i < accesses; i++) {
      random ^= random << 13;
      random ^= random >> 7;
      random ^= random << 17;
      memory[random % (bytes / sizeof *memory)] += random;
    }
    uint64_t waited = now_ns() - due, bucket = waited * buckets_per_us / 1000;
    if (waited > worst) worst = waited;
    waits[bucket > longest_us * buckets_per_us ? longest_us * buckets_per_us : bucket]++;
  }
  const double shares[] = {0.5, 0.99, 0.999, 0.9999};
  const char* names[] = {"median", "p99", "p99.9", "p99.99"};
  for (int i = 0; i < 4; i++) {
    uint64_t left = (uint64_t)(done * shares[i]), bucket = 0;
    while (bucket < longest_us * buckets_per_us && left > waits[bucket]) left -= waits[bucket++];
    printf("%s %.1f%s, ", names[i], (bucket + 1.0) / buckets_per_us, i == 0 ? " µs" : "");
  }
  printf("worst %.0f\n", worst / 1e3);
}
