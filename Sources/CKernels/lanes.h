// Vector types of all kernels except the product; not part of the interface.
#ifndef LANES_H
#define LANES_H

#include <stdint.h>

#define CLONES __attribute__((target_clones("avx512f", "avx2", "default")))
#define INLINE static inline __attribute__((always_inline))

// Sixteen floats: one register with AVX-512, two with AVX2, four in baseline x86-64. `lanes` may lie anywhere.
typedef float lanes __attribute__((vector_size(64), aligned(4), may_alias));
typedef int32_t mask __attribute__((vector_size(64)));

#define LOAD(p) (*(const lanes *)(p))
#define STORE(p, v) (*(lanes *)(p) = (v))

// Sixteen comparison results as bits: the lowest bit is the first lane's.
typedef _Bool answers __attribute__((ext_vector_type(16)));
#define BITS(m) __builtin_bit_cast(uint16_t, __builtin_convertvector((m), answers))

// The lanes added in a fixed tree.
#define SUM(v)                                                                                                        \
    ((((v)[0] + (v)[8]) + ((v)[4] + (v)[12])) + (((v)[2] + (v)[10]) + ((v)[6] + (v)[14])) +                           \
     ((((v)[1] + (v)[9]) + ((v)[5] + (v)[13])) + (((v)[3] + (v)[11]) + ((v)[7] + (v)[15]))))

// The lanes of eight vectors added, each in the order of SUM: halves of two vectors are put side by side and added, then
// quarters of four, and so on.
INLINE void sum_each(const lanes *s, float *out) {
    typedef float eight __attribute__((vector_size(32), aligned(4), may_alias));
    lanes t[4], u[2];
    _Pragma("clang loop unroll(full)") for (int i = 0; i < 4; i++) {
        const lanes a = s[2 * i], b = s[2 * i + 1];
        t[i] = __builtin_shufflevector(a, b, 0, 1, 2, 3, 4, 5, 6, 7, 16, 17, 18, 19, 20, 21, 22, 23)
             + __builtin_shufflevector(a, b, 8, 9, 10, 11, 12, 13, 14, 15, 24, 25, 26, 27, 28, 29, 30, 31);
    }
    _Pragma("clang loop unroll(full)") for (int i = 0; i < 2; i++) {
        const lanes a = t[2 * i], b = t[2 * i + 1];
        u[i] = __builtin_shufflevector(a, b, 0, 1, 2, 3, 8, 9, 10, 11, 16, 17, 18, 19, 24, 25, 26, 27)
             + __builtin_shufflevector(a, b, 4, 5, 6, 7, 12, 13, 14, 15, 20, 21, 22, 23, 28, 29, 30, 31);
    }
    const lanes v = __builtin_shufflevector(u[0], u[1], 0, 1, 4, 5, 8, 9, 12, 13, 16, 17, 20, 21, 24, 25, 28, 29)
                  + __builtin_shufflevector(u[0], u[1], 2, 3, 6, 7, 10, 11, 14, 15, 18, 19, 22, 23, 26, 27, 30, 31);
    *(eight *)out = __builtin_shufflevector(v, v, 0, 2, 4, 6, 8, 10, 12, 14)
                  + __builtin_shufflevector(v, v, 1, 3, 5, 7, 9, 11, 13, 15);
}

#endif
