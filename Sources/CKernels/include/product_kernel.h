// Dense products in f32 with one order of summation.
//
// Each element of C is a sum over the inner dimension, taken in blocks of RSAE_PRODUCT_BLOCK whose borders are the
// multiples of that length counted from `inner_start`. Within a block the terms are added one after another, each by a
// fused multiply-add, beginning with zero; then alpha times the block's sum is added to the element. So the bits of an
// element depend on its row of op(A), its column of op(B) and nothing else: not on how many rows or columns there are,
// not on how the product is cut into tiles, and not on whether AVX-512 or AVX2 computes it. (Baseline x86-64 has no fused
// multiply-add: there the order is the same, and each term is rounded before it is added.)
#ifndef PRODUCT_KERNEL_H
#define PRODUCT_KERNEL_H

#include <stdbool.h>
#include <stdint.h>

#include "weight_panels.h"

#define RSAE_PRODUCT_BLOCK 256

// C = alpha · op(A) · op(B), or C + that: op(A) [rows × inner], op(B) [inner × columns], C [rows × columns], all
// row-major; a stride is the distance in floats between the starts of two stored rows.
typedef struct {
    int64_t rows, columns, inner;
    // Where the first of the inner terms stands in the sum it is a part of; terms before it would have been zero.
    int64_t inner_start;
    float alpha;
    // Whether C is added to.
    bool accumulates;
    // Whether A is stored as [inner × rows], and B as [columns × inner].
    bool a_transposed, b_transposed;
    const float *a;
    int64_t a_stride;
    const float *b;
    int64_t b_stride;
    // B as panels if not null (`weight_panels.h`), instead of b; the first column is the first of a panel, the first term
    // at an even place. The panels are `b_length` terms long, or `inner` if that is 0. Whether they are wide, and whether
    // their elements are bf16.
    const void *b_panels;
    int64_t b_length;
    bool b_is_wide, b_is_halved;
    float *c;
    int64_t c_stride;
} rsae_product;

// Sets of instructions, the best first.
typedef enum { RSAE_AVX512, RSAE_AVX2, RSAE_BASELINE } rsae_kernel;

// Computes a product on the calling thread.
void rsae_multiply(const rsae_product *product);

// Computes a product on the calling thread with certain instructions, which the processor must have.
void rsae_multiply_with(rsae_kernel kernel, const rsae_product *product);

// Whether this processor has the instructions.
bool rsae_kernel_is_available(rsae_kernel kernel);

// The instructions that rsae_multiply uses: the best that there are, unless the environment variable ROUTESAE_KERNELS is
// "avx512", "avx2" or "baseline" and the processor has these.
rsae_kernel rsae_product_kernel(void);

#endif
