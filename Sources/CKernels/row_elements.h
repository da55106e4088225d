// Elements of rows that are f32 or bf16; not part of the interface.
#ifndef ROW_ELEMENTS_H
#define ROW_ELEMENTS_H

#include "bf16.h"
#include "lanes.h"

typedef uint16_t bf16_lanes __attribute__((vector_size(32), aligned(2), may_alias));
typedef uint32_t bit_lanes __attribute__((vector_size(64)));

// Sixteen numbers of a row from one on; `halved` if they are bf16. A macro, since a function would return a vector.
#define NUMBERS(row, at, halved)                                                                                      \
    ((halved) ? (lanes)(__builtin_convertvector(*(const bf16_lanes *)((const uint16_t *)(row) + (at)), bit_lanes)     \
                        << 16)                                                                                        \
              : LOAD((const float *)(row) + (at)))

// One number of a row.
INLINE float number(const void *row, int64_t at, const int halved) {
    return halved ? rsae_f32(((const uint16_t *)row)[at]) : ((const float *)row)[at];
}

// Where element `at` of some rows lies.
INLINE const void *element(const void *rows, int64_t at, const int halved) {
    return (const char *)rows + at * (halved ? 2 : 4);
}

#endif
