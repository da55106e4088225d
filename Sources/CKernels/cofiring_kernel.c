#include "cofiring_kernel.h"
#include "lanes.h"

// Sixteen counters; `mask` of lanes.h is what comparing them gives.
typedef uint32_t tally __attribute__((vector_size(64), aligned(4), may_alias));
typedef int32_t numbers __attribute__((vector_size(64), aligned(4), may_alias));

#define TALLY(p) (*(tally *)(p))
#define NUMBERS(p) (*(numbers *)(p))

static const numbers lane_number = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};

INLINE uint32_t least_count(const uint32_t *count, int64_t counters) {
    tally least = TALLY(count);
    for (int64_t c = 16; c < counters; c += 16) least = __builtin_elementwise_min(least, TALLY(count + c));
    return __builtin_reduce_min(least);
}

// 32 pseudorandom bits of a key and an index.
INLINE uint64_t draw(uint64_t key, int32_t index) {
    uint64_t z = key + (uint64_t)(uint32_t)index * 0x9E3779B97F4A7C15u;
    z = (z ^ (z >> 32)) * 0xD6E8FEB86659FD93u;
    z = (z ^ (z >> 32)) * 0xD6E8FEB86659FD93u;
    return z >> 32;
}

// Vectors of indices that stay in registers, for the usual number of counters.
#define REGISTERS 4

// The vector of counters that holds an index, `counters` if none does; `held` are the lanes that do.
INLINE int64_t find(const rsae_cofiring *sketch, const numbers *index, int64_t counters, int32_t wanted,
                    uint32_t *held) {
    if (counters == REGISTERS * 16) {
        // Most are not held: one answer for all.
        const numbers lower = (index[0] == wanted) | (index[1] == wanted);
        const numbers upper = (index[2] == wanted) | (index[3] == wanted);
        if (!BITS(lower | upper)) return counters;
    }
    for (int64_t c = 0; c < counters; c += 16) {
        *held = BITS(NUMBERS(sketch->index + c) == wanted);
        if (*held) return c;
    }
    return counters;
}

// Counters are changed by whole vectors: the next search reads them so, and a narrow store would hold it up.
INLINE void offer(rsae_cofiring sketch, const int64_t counters, const int32_t *index, const float *activation,
                  int64_t n, int32_t self, uint64_t key) {
    numbers known[REGISTERS];
    for (int i = 0; i < REGISTERS && counters == REGISTERS * 16; i++) known[i] = NUMBERS(sketch.index + i * 16);
    // No counter before `cursor` has the least count: counts only rise, so what the search has passed stays passed.
    uint32_t least = 0;
    int64_t cursor = counters;
    for (int64_t i = 0; i < n; i++) {
        const int32_t wanted = index[i];
        if (wanted == self || (activation && activation[i] == 0)) continue;
        uint32_t held = 0;
        int64_t c = find(&sketch, known, counters, wanted, &held);
        if (c < counters) {
            TALLY(sketch.count + c) -= (tally)(lane_number == (int32_t)__builtin_ctz(held));
            continue;
        }
        while (cursor >= counters || sketch.count[cursor] != least) {
            if (cursor >= counters) {
                least = least_count(sketch.count, counters);
                cursor = 0;
            }
            c = cursor / 16 * 16;
            const uint32_t found = BITS(TALLY(sketch.count + c) == least);
            cursor = found ? c + __builtin_ctz(found) : c + 16;
        }
        if (draw(key, wanted) * ((uint64_t)least + 1) >> 32) continue;
        c = cursor / 16 * 16;
        const mask chosen = lane_number == (int32_t)(cursor - c);
        const tally before = TALLY(sketch.count + c);
        NUMBERS(sketch.index + c) = (NUMBERS(sketch.index + c) & ~chosen) | (wanted & chosen);
        TALLY(sketch.inherited + c) = (TALLY(sketch.inherited + c) & (tally)~chosen) | (before & (tally)chosen);
        TALLY(sketch.count + c) = before - (tally)chosen;
        for (int v = 0; v < REGISTERS && counters == REGISTERS * 16; v++) known[v] = NUMBERS(sketch.index + v * 16);
    }
}

CLONES void rsae_cofiring_offer(rsae_cofiring sketch, const int32_t *index, const float *activation, int64_t n,
                                int32_t self, uint64_t key) {
    if (sketch.counters == REGISTERS * 16) return offer(sketch, REGISTERS * 16, index, activation, n, self, key);
    offer(sketch, sketch.counters, index, activation, n, self, key);
}
