// Transposing and packing of 32-bit elements by one set of instructions; the kernels include this once for each. Whoever
// includes it defines TARGET, NAME and LANES as `product_kernel_body.h` says. An element is an f32 or a pair of bf16: it is
// moved as bits.

// Elements of operands, wherever they lie.
#ifndef RSAE_ELEMENT
#define RSAE_ELEMENT
typedef uint32_t rsae_element __attribute__((may_alias, aligned(2)));
#endif

#define MOVED NAME(moved)
#define MOVE TARGET static inline __attribute__((always_inline))
#define UNROLL _Pragma("clang loop unroll(full)")

typedef float NAME(moved) __attribute__((vector_size(4 * LANES), aligned(2), may_alias));

// Of two vectors, within each quarter of 4 elements: the lower or upper two interleaved, and the lower or upper pairs
// side by side. And the quarters of both: the first halves interleaved, and the second halves.
#if LANES == 16
#define PICK(a, b, i, j, k, l)                                                                                        \
    __builtin_shufflevector(a, b, i, j, k, l, 4 + i, 4 + j, 4 + k, 4 + l, 8 + i, 8 + j, 8 + k, 8 + l, 12 + i, 12 + j, \
                            12 + k, 12 + l)
#define LOWER_QUARTERS(a, b) __builtin_shufflevector(a, b, 0, 1, 2, 3, 16, 17, 18, 19, 4, 5, 6, 7, 20, 21, 22, 23)
#define UPPER_QUARTERS(a, b) __builtin_shufflevector(a, b, 8, 9, 10, 11, 24, 25, 26, 27, 12, 13, 14, 15, 28, 29, 30, 31)
#elif LANES == 8
#define PICK(a, b, i, j, k, l) __builtin_shufflevector(a, b, i, j, k, l, 4 + i, 4 + j, 4 + k, 4 + l)
#define LOWER_QUARTERS(a, b) __builtin_shufflevector(a, b, 0, 1, 2, 3, 8, 9, 10, 11)
#define UPPER_QUARTERS(a, b) __builtin_shufflevector(a, b, 4, 5, 6, 7, 12, 13, 14, 15)
#else
#define PICK(a, b, i, j, k, l) __builtin_shufflevector(a, b, i, j, k, l)
#define LOWER_QUARTERS(a, b) (a)
#define UPPER_QUARTERS(a, b) (b)
#endif

// LANES rows of LANES elements, from column k on, transposed: first squares of 4 × 4 within the quarters,
// then the squares themselves. A row that is null is zeros. What lies `ahead` elements further on is asked for: the rows
// are many short streams, which the processor does not foresee.
MOVE void NAME(transpose)(const rsae_element *const *rows, int64_t k, int64_t ahead, MOVED *x) {
    UNROLL for (int i = 0; i < LANES; i += 4) {
        MOVED r[4];
        UNROLL for (int j = 0; j < 4; j++) {
            __builtin_prefetch((const void *)((uintptr_t)rows[i + j] + (uintptr_t)(k + ahead) * sizeof(rsae_element)));
            r[j] = rows[i + j] ? *(const MOVED *)(rows[i + j] + k) : (MOVED){0};
        }
        const MOVED a = PICK(r[0], r[1], 0, LANES, 1, LANES + 1), b = PICK(r[2], r[3], 0, LANES, 1, LANES + 1);
        const MOVED c = PICK(r[0], r[1], 2, LANES + 2, 3, LANES + 3), d = PICK(r[2], r[3], 2, LANES + 2, 3, LANES + 3);
        x[i] = PICK(a, b, 0, 1, LANES, LANES + 1);
        x[i + 1] = PICK(a, b, 2, 3, LANES + 2, LANES + 3);
        x[i + 2] = PICK(c, d, 0, 1, LANES, LANES + 1);
        x[i + 3] = PICK(c, d, 2, 3, LANES + 2, LANES + 3);
    }
    // Column 4 q + j has its squares in quarter q of x[j], x[4 + j] …
    UNROLL for (int quarters = LANES / 4; quarters > 1; quarters /= 2) {
        MOVED y[LANES];
        UNROLL for (int i = 0; i < LANES / 8; i++) {
            UNROLL for (int j = 0; j < 4; j++) {
                y[8 * i + j] = LOWER_QUARTERS(x[4 * i + j], x[LANES / 2 + 4 * i + j]);
                y[8 * i + 4 + j] = UPPER_QUARTERS(x[4 * i + j], x[LANES / 2 + 4 * i + j]);
            }
        }
        UNROLL for (int i = 0; i < LANES; i++) x[i] = y[i];
    }
}

// target[k · width + i] = source[i · stride + k], zero where i is not below `count`. `width` is NR or at most LANES; in
// the latter case up to LANES elements behind the target are overwritten too.
TARGET static void NAME(pack_rows)(const rsae_element *source, int64_t stride, int64_t count, int64_t inner,
                                   int64_t width, rsae_element *target) {
    for (int64_t first = 0; first < width; first += LANES) {
        const rsae_element *rows[LANES];
        for (int64_t i = 0; i < LANES; i++) rows[i] = first + i < count ? source + (first + i) * stride : 0;
        rsae_element *out = target + first;
        int64_t k = 0;
        for (; k + LANES <= inner; k += LANES) {
            MOVED x[LANES];
            NAME(transpose)(rows, k, width * stride, x);
            // Whole vectors: what is too much of one is overwritten by the next.
            UNROLL for (int i = 0; i < LANES; i++) *(MOVED *)(out + (k + i) * width) = x[i];
        }
        const int64_t part = width - first < LANES ? width - first : LANES;
        for (; k < inner; k++) {
            for (int64_t i = 0; i < part; i++) out[k * width + i] = rows[i] ? rows[i][k] : 0;
        }
    }
}

#undef MOVED
#undef MOVE
#undef UNROLL
#undef PICK
#undef LOWER_QUARTERS
#undef UPPER_QUARTERS
