// bf16: the upper 16 bits of an f32.
#ifndef RSAE_BF16_H
#define RSAE_BF16_H

#include <stdint.h>
#include <string.h>

// The nearest bf16, of two equally near the one whose last bit is zero. A NaN stays one, and becomes quiet.
static inline uint16_t rsae_bf16(float x) {
    uint32_t bits;
    memcpy(&bits, &x, sizeof bits);
    const uint32_t nearest = (bits + 0x7FFF + (bits >> 16 & 1)) >> 16;
    return (uint16_t)((bits & 0x7FFFFFFF) > 0x7F800000 ? bits >> 16 | 0x40 : nearest);
}

// The f32 of the same value.
static inline float rsae_f32(uint16_t x) {
    const uint32_t bits = (uint32_t)x << 16;
    float result;
    memcpy(&result, &bits, sizeof result);
    return result;
}

// Rounds `count` numbers.
void rsae_round_to_bf16(const float *source, int64_t count, uint16_t *target);

#endif
