#include "tally.h"

#include <poll.h>
#include <sys/resource.h>
#include <unistd.h>

static int64_t value_of(int bucket)
{
    return bucket < 64 ? bucket : (int64_t)(32 + (bucket - 64) % 32) << ((bucket - 64) / 32 + 1);
}

static int64_t percentile(const struct tally *t, double part)
{
    double left = part * (double)t->answers;
    for (int b = 0; b < BUCKETS; b++) {
        left -= (double)t->histogram[b];
        if (t->histogram[b] && left <= 0) {
            return value_of(b);
        }
    }
    return 0;
}

void add_tally(struct tally *to, const struct tally *one)
{
    to->answers += one->answers;
    to->errors += one->errors;
    to->max_us = one->max_us > to->max_us ? one->max_us : to->max_us;
    for (int b = 0; b < BUCKETS; b++) {
        to->histogram[b] += one->histogram[b];
    }
}

void print_tally(const struct tally *t, double seconds, int64_t gap_ns)
{
    struct rusage used;
    getrusage(RUSAGE_SELF, &used);
    double cpu = (double)(used.ru_utime.tv_sec + used.ru_stime.tv_sec) + (double)(used.ru_utime.tv_usec + used.ru_stime.tv_usec) / 1e6;
    printf("{\"count\":%lld,\"seconds\":%.3f,\"p50\":%lld,\"p99\":%lld,\"max\":%lld,\"errors\":%lld,\"gap_ms\":%.1f,\"cpu_seconds\":%.2f,\"histogram\":[",
           (long long)t->answers, seconds, (long long)percentile(t, 0.5), (long long)percentile(t, 0.99), (long long)t->max_us,
           (long long)t->errors, (double)gap_ns / 1e6, cpu);
    const char *comma = "";
    for (int b = 0; b < BUCKETS; b++) {
        if (t->histogram[b]) {
            printf("%s[%lld,%lld]", comma, (long long)value_of(b), (long long)t->histogram[b]);
            comma = ",";
        }
    }
    puts("]}");
}

void wait_go(void)
{
    char line[16];
    puts("ready");
    if (!fgets(line, sizeof line, stdin)) {
        exit(1);
    }
}

int is_orphan(int wait_ms)
{
    struct pollfd in = {.fd = 0, .events = POLLIN};
    char ignored[16];
    return poll(&in, 1, wait_ms) > 0 && read(0, ignored, sizeof ignored) <= 0;
}
