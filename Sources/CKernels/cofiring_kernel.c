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

// Counters are changed by whole vectors: the next search reads them so, and a narrow store would hold it up.
CLONES void rsae_cofiring_offer(rsae_cofiring sketch, const int32_t *index, const float *activation, int64_t n,
                                int32_t self, uint64_t key) {
    const int64_t counters = sketch.counters;
    // No counter before `cursor` has the least count: counts only rise, so what the search has passed stays passed.
    uint32_t least = 0;
    int64_t cursor = counters;
    for (int64_t i = 0; i < n; i++) {
        const int32_t wanted = index[i];
        if (wanted == self || (activation && activation[i] == 0)) continue;
        int64_t c = 0;
        uint32_t held = 0;
        for (; c < counters; c += 16) {
            held = BITS(NUMBERS(sketch.index + c) == wanted);
            if (held) break;
        }
        if (held) {
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
    }
}
