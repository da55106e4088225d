// What the kernels of products have in common: their choice, a check before the first use, and memory for operands.
#ifndef PRODUCT_CHECK_H
#define PRODUCT_CHECK_H

#include <math.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

// Bytes of `rsae_product_scratch`.
#define RSAE_SCRATCH_BYTES (4 * (256 * (512 + 64) + 128))

// The calling thread's buffer for packed operands, aligned to 64 bytes and freed when the thread ends.
void *rsae_product_scratch(void);

// x · y + sum rounded once, without the instruction: the product is exact in f64, and the sum is rounded to odd there (its
// last bit tells of what was lost), so that rounding it again to f32 rounds it right.
static inline float rsae_fused(float x, float y, float sum) {
    const double product = (double)x * y, whole = sum + product, part = whole - sum;
    const double lost = (sum - (whole - part)) + (product - part);
    uint64_t bits;
    memcpy(&bits, &whole, sizeof bits);
    if ((lost < 0 || lost > 0) && bits % 2 == 0) {
        bits += (lost > 0) == (whole > 0) ? 1 : -1;
        double odd;
        memcpy(&odd, &bits, sizeof odd);
        return (float)odd;
    }
    return (float)whole;
}

#endif
