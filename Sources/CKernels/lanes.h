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

#endif
