// What is counted of answers: how many, how long each took, and the longest time without one.
#ifndef TALLY_H
#define TALLY_H

#include "load.h"

// Latencies in microseconds: exact below 64, after that 32 steps to each power of two.
#define BUCKETS (64 + 32 * 32)

struct tally {
    int64_t answers, errors, max_us;
    int64_t histogram[BUCKETS];
};

static inline void count_answer(struct tally *t, int64_t us)
{
    int bucket = us < 0 ? 0 : (int)us;
    if (us >= 64) {
        int power = 63 - __builtin_clzll((unsigned long long)us);
        bucket = power > 37 ? BUCKETS - 1 : 64 + (power - 6) * 32 + (int)((us >> (power - 5)) & 31);
    }
    t->answers++;
    t->histogram[bucket]++;
    t->max_us = us > t->max_us ? us : t->max_us;
}

void add_tally(struct tally *to, const struct tally *one);
void print_tally(const struct tally *t, double seconds, int64_t gap_ns);

// Says that all is prepared and waits for "go".
void wait_go(void);

// Whether whoever started this is gone, looking for so long.
int is_orphan(int wait_ms);

#endif
