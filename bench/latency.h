/*
 * A latency histogram of fixed size: log-linear buckets, so that every value from a nanosecond to hours is kept
 * to better than 1 %, recording is a few instructions, and nothing is allocated while a measurement runs.
 */
#ifndef BENCH_LATENCY_H
#define BENCH_LATENCY_H

#include <stdint.h>

enum {
    LATENCY_BITS = 7, /* 128 buckets for each power of two */
    LATENCY_STEP = 1 << LATENCY_BITS,
    LATENCY_BUCKETS = (64 - LATENCY_BITS + 1) * LATENCY_STEP,
};

typedef struct {
    uint64_t count;
    uint64_t max_ns;
    uint64_t buckets[LATENCY_BUCKETS];
} Latency;

static inline void latency_record(Latency *latency, uint64_t ns)
{
    uint64_t bucket = ns;
    if (ns >= LATENCY_STEP) {
        int shift = 63 - __builtin_clzll(ns) - LATENCY_BITS;
        bucket = (uint64_t)(shift + 1) * LATENCY_STEP + (ns >> shift) - LATENCY_STEP;
    }
    latency->buckets[bucket]++;
    latency->count++;
    if (ns > latency->max_ns)
        latency->max_ns = ns;
}

/* The middle of the bucket that holds the smallest value not below `quantile` (0..1) of all, in µs; 0 when empty. */
static inline double latency_quantile_us(const Latency *latency, double quantile)
{
    double wanted = quantile * (double)latency->count;
    uint64_t seen = 0;
    for (uint64_t bucket = 0; bucket < LATENCY_BUCKETS; bucket++) {
        seen += latency->buckets[bucket];
        if (seen == 0 || (double)seen < wanted)
            continue;
        if (bucket < LATENCY_STEP)
            return (double)bucket / 1e3;
        uint64_t shift = bucket / LATENCY_STEP - 1;
        uint64_t low = (LATENCY_STEP + bucket % LATENCY_STEP) << shift;
        double middle = (double)low + (double)(1ull << shift) / 2;
        return (middle < (double)latency->max_ns ? middle : (double)latency->max_ns) / 1e3;
    }
    return 0;
}

#endif
