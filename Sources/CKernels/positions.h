// Finding the places of a row where a value with its bias reaches a bound; not part of the interface.
#ifndef POSITIONS_H
#define POSITIONS_H

#include "lanes.h"

// Where value + bias is at or above the bound, or, if `above`, above it; a NaN counts. The bound is one number, or, if
// `many`, one for each place. Ascending; returns how many there are. `position` has room for m, and what lies behind those
// found may be overwritten. Few are expected: of 64 places that are looked at together three or fewer are written down
// without a branch, which the processor could not foresee.
INLINE int64_t positions(const float *values, const float *bias, const float *bound, const int many, const int above,
                         int64_t m, int32_t *position) {
    int64_t count = 0, i = 0;
    for (; i + 64 <= m; i += 64) {
        uint64_t hits = 0;
        _Pragma("clang loop unroll(full)") for (int part = 0; part < 4; part++) {
            const int64_t at = i + 16 * part;
            // Most callers ask for the next row next.
            __builtin_prefetch(values + m + at, 0, 2);
            const lanes v = LOAD(values + at) + LOAD(bias + at);
            const lanes b = many ? LOAD(bound + at) : (lanes){0} + *bound;
            hits |= (uint64_t)BITS(~(above ? v <= b : v < b)) << (16 * part);
        }
        const int64_t found = __builtin_popcountll(hits);
        int32_t *const to = position + count;
        _Pragma("clang loop unroll(full)") for (int place = 0; place < 3; place++) {
            to[place] = (int32_t)i + __builtin_ctzll(hits | (uint64_t)1 << 63);
            hits &= hits - 1;
        }
        for (int64_t place = 3; place < found; place++) {
            to[place] = (int32_t)i + __builtin_ctzll(hits);
            hits &= hits - 1;
        }
        count += found;
    }
    for (; i < m; i++) {
        const float v = values[i] + bias[i], b = many ? bound[i] : *bound;
        position[count] = (int32_t)i;
        count += !(above ? v <= b : v < b);
    }
    return count;
}

#endif
