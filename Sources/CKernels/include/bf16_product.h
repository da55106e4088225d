// Dense products of bf16 with one order of summation, accumulated in f32.
//
// The terms of an element of C are taken in pairs, 2 k + 1 before 2 k, as the processor's instruction for bf16 does
// (VDPBF16PS, Intel's instruction set reference): sum = x[2k+1] · y[2k+1] + sum, then sum = x[2k] · y[2k] + sum, each
// rounded once to the nearest, ties to even, and numbers below the smallest normal one taken as zero before and after. An
// odd last term is paired with zero. Pairs are taken in blocks of RSAE_BF16_BLOCK terms, counted from the first; within
// a block one after another, beginning with zero; then the block's sum is added to the element. So the bits of an element
// depend on its row of A, its column of B and nothing else, and are the same whichever instructions compute it. A NaN is a
// NaN: which of several is not defined.
#ifndef BF16_PRODUCT_H
#define BF16_PRODUCT_H

#include <stdbool.h>
#include <stdint.h>

#include "bf16.h"
#include "weight_panels.h"

#define RSAE_BF16_BLOCK 512

// C = A · Bᵀ, or C + that: A [rows × inner] in f32, rounded to bf16 on the way, B [columns × inner] in bf16, C
// [rows × columns]; row-major. A stride is the distance in elements between the starts of two stored rows.
typedef struct {
    int64_t rows, columns, inner;
    // Whether C is added to.
    bool accumulates;
    const float *a;
    int64_t a_stride;
    // Rows, which need not be aligned, or halved panels (`weight_panels.h`) if these are not null; the first column is the
    // first of a panel, the first term at an even place. The panels are `b_length` terms long, or `inner` if that is 0.
    // Whether they are wide.
    const uint16_t *b;
    int64_t b_stride;
    const void *b_panels;
    int64_t b_length;
    bool b_is_wide;
    float *c;
    int64_t c_stride;
} rsae_bf16_product;

// Sets of instructions, the best first: one that multiplies bf16, and others that widen them.
typedef enum { RSAE_BF16_DOT, RSAE_BF16_AVX512, RSAE_BF16_AVX2, RSAE_BF16_BASELINE } rsae_bf16_kernel;

// Computes a product on the calling thread.
void rsae_multiply_bf16(const rsae_bf16_product *product);

// Computes a product on the calling thread with certain instructions, which the processor must have.
void rsae_multiply_bf16_with(rsae_bf16_kernel kernel, const rsae_bf16_product *product);

// Whether this processor has the instructions.
bool rsae_bf16_kernel_is_available(rsae_bf16_kernel kernel);

// The instructions that rsae_multiply_bf16 uses: the best that there are and that pass their check, unless the environment
// variable ROUTESAE_KERNELS names others: "avx512bf16", or "avx512", "avx2", "baseline", which widen.
rsae_bf16_kernel rsae_bf16_product_kernel(void);

// The index of the first infinity or NaN among n bf16, which need not be aligned, or -1.
int64_t rsae_first_non_finite_bf16(const uint16_t *x, int64_t n);

// Rounds rows of weights to bf16 and packs them into halved panels.
void rsae_pack_rounded_panels(const float *weights, int64_t stride, int64_t columns, rsae_panels panels);

#endif
