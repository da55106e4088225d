// The products of one set of instructions; `product_kernel.c` includes this once for each. Whoever includes it defines
//
//     TARGET           the attribute that lets a function use the instructions
//     NAME(x)          the name of this set's x
//     LANES            floats in a vector
//     MR               rows of a tile of C, whose sums stay in registers
//     FMA(a, b, c)     a · b + c
//     BROADCAST(v, x)  sets all elements of the vector v to x in memory
//
// after which they are undefined again. The tiles are those of Goto and van de Geijn 2008, "Anatomy of high-performance
// matrix multiplication" (ACM TOMS 34, 12), with the panel of B in the first-level cache: weights, the B of nearly all
// products here, are read once for each block of rows, so they are packed panel by panel and never as a whole.

// Columns of a tile.
#define NR (2 * LANES)
#define VECTOR NAME(vector)
#define STEP TARGET static inline __attribute__((always_inline))
#define UNROLL _Pragma("clang loop unroll(full)")

typedef float NAME(vector) __attribute__((vector_size(4 * LANES), aligned(4), may_alias));

// Of two vectors, within each quarter of 4 floats: the lower or upper two floats interleaved, and the lower or upper pairs
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

// LANES rows of LANES floats, from column k on, turned into columns: first squares of 4 × 4 floats within the quarters,
// then the squares themselves. A row that is null is zeros. What lies `ahead` floats further on is asked for: the rows
// are many short streams, which the processor does not foresee.
STEP void NAME(transpose)(const float *const *rows, int64_t k, int64_t ahead, VECTOR *x) {
    UNROLL for (int i = 0; i < LANES; i += 4) {
        VECTOR r[4];
        UNROLL for (int j = 0; j < 4; j++) {
            __builtin_prefetch((const void *)((uintptr_t)rows[i + j] + (uintptr_t)(k + ahead) * sizeof(float)));
            r[j] = rows[i + j] ? *(const VECTOR *)(rows[i + j] + k) : (VECTOR){0};
        }
        const VECTOR a = PICK(r[0], r[1], 0, LANES, 1, LANES + 1), b = PICK(r[2], r[3], 0, LANES, 1, LANES + 1);
        const VECTOR c = PICK(r[0], r[1], 2, LANES + 2, 3, LANES + 3), d = PICK(r[2], r[3], 2, LANES + 2, 3, LANES + 3);
        x[i] = PICK(a, b, 0, 1, LANES, LANES + 1);
        x[i + 1] = PICK(a, b, 2, 3, LANES + 2, LANES + 3);
        x[i + 2] = PICK(c, d, 0, 1, LANES, LANES + 1);
        x[i + 3] = PICK(c, d, 2, 3, LANES + 2, LANES + 3);
    }
    // Column 4 q + j has its squares in quarter q of x[j], x[4 + j] …
    UNROLL for (int quarters = LANES / 4; quarters > 1; quarters /= 2) {
        VECTOR y[LANES];
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
// the latter case up to LANES floats behind the target are overwritten too.
TARGET static void NAME(pack_rows)(const float *source, int64_t stride, int64_t count, int64_t inner, int64_t width,
                                   float *target) {
    for (int64_t first = 0; first < width; first += LANES) {
        const float *rows[LANES];
        for (int64_t i = 0; i < LANES; i++) rows[i] = first + i < count ? source + (first + i) * stride : 0;
        float *out = target + first;
        int64_t k = 0;
        for (; k + LANES <= inner; k += LANES) {
            VECTOR x[LANES];
            NAME(transpose)(rows, k, width * stride, x);
            // Whole vectors: what is too much of one is overwritten by the next.
            UNROLL for (int i = 0; i < LANES; i++) *(VECTOR *)(out + (k + i) * width) = x[i];
        }
        const int64_t part = width - first < LANES ? width - first : LANES;
        for (; k < inner; k++) {
            for (int64_t i = 0; i < part; i++) out[k * width + i] = rows[i] ? rows[i][k] : 0;
        }
    }
}

// target[k · width + i] = source[k · stride + i], zero where i is not below `count`.
TARGET static void NAME(pack_columns)(const float *source, int64_t stride, int64_t count, int64_t inner, int64_t width,
                                      float *target) {
    for (int64_t k = 0; k < inner; k++) {
        const float *from = source + k * stride;
        float *to = target + k * width;
        int64_t i = 0;
        for (; i + LANES <= count; i += LANES) *(VECTOR *)(to + i) = *(const VECTOR *)(from + i);
        for (; i < count; i++) to[i] = from[i];
        for (; i < width; i++) to[i] = 0;
    }
}

// Adds the sums of one row of a tile to the first `columns` elements at c.
STEP void NAME(finish)(const VECTOR *sum, const int vectors, float alpha, bool adds, float *c, int64_t columns) {
    const VECTOR factor = (VECTOR){0} + alpha;
    if (columns == vectors * LANES) {
        UNROLL for (int v = 0; v < vectors; v++) {
            VECTOR *target = (VECTOR *)(c + v * LANES);
            *target = adds ? FMA(factor, sum[v], *target) : factor * sum[v];
        }
        return;
    }
    float edge[NR] = {0};
    if (adds) memcpy(edge, c, (size_t)columns * sizeof(float));
    UNROLL for (int v = 0; v < vectors; v++) {
        VECTOR *target = (VECTOR *)(edge + v * LANES);
        *target = adds ? FMA(factor, sum[v], *target) : factor * sum[v];
    }
    memcpy(c, edge, (size_t)columns * sizeof(float));
}

// A tile of C, `rows` × NR, of whose columns the first `columns` exist. A is packed k after k; of B a row has NR elements
// and the next is `b_step` further on.
STEP void NAME(tile)(const int rows, const float *a, const float *b, int64_t b_step, int64_t inner, float alpha,
                     bool adds, float *c, int64_t stride, int64_t columns) {
    VECTOR sum[MR][2];
    UNROLL for (int i = 0; i < rows; i++) sum[i][0] = sum[i][1] = (VECTOR){0};
    for (int64_t k = 0; k < inner; k++) {
        const VECTOR x0 = *(const VECTOR *)(b + k * b_step), x1 = *(const VECTOR *)(b + k * b_step + LANES);
        UNROLL for (int i = 0; i < rows; i++) {
            VECTOR y;
            BROADCAST(y, a[k * rows + i]);
            sum[i][0] = FMA(y, x0, sum[i][0]);
            sum[i][1] = FMA(y, x1, sum[i][1]);
        }
    }
    UNROLL for (int i = 0; i < rows; i++) NAME(finish)(sum[i], 2, alpha, adds, c + i * stride, columns);
}

// The length of the block that begins with term k.
#define BLOCK_LENGTH(p, k)                                                                                            \
    ((p)->inner - (k) < RSAE_PRODUCT_BLOCK - ((p)->inner_start + (k)) % RSAE_PRODUCT_BLOCK                            \
         ? (p)->inner - (k)                                                                                           \
         : RSAE_PRODUCT_BLOCK - ((p)->inner_start + (k)) % RSAE_PRODUCT_BLOCK)

// A product of very few rows with B stored as [columns × inner]: B is turned in registers, LANES of its rows at a time,
// each read from its beginning to its end.
STEP void NAME(thin)(const int rows, const rsae_product *p) {
    for (int64_t column = 0; column < p->columns; column += LANES) {
        const int64_t columns = p->columns - column < LANES ? p->columns - column : LANES;
        const float *b[LANES];
        for (int64_t i = 0; i < LANES; i++) b[i] = i < columns ? p->b + (column + i) * p->b_stride : 0;
        int64_t length;
        for (int64_t block = 0; block < p->inner; block += length) {
            length = BLOCK_LENGTH(p, block);
            VECTOR sum[THIN];
            UNROLL for (int r = 0; r < rows; r++) sum[r] = (VECTOR){0};
            int64_t k = block;
            for (; k + LANES <= block + length; k += LANES) {
                VECTOR x[LANES];
                NAME(transpose)(b, k, PREFETCHED_ROWS * p->b_stride, x);
                UNROLL for (int i = 0; i < LANES; i++) {
                    UNROLL for (int r = 0; r < rows; r++) {
                        sum[r] = FMA((VECTOR){0} + p->a[r * p->a_stride + k + i], x[i], sum[r]);
                    }
                }
            }
            for (; k < block + length; k++) {
                VECTOR x = {0};
                for (int64_t i = 0; i < columns; i++) x[i] = b[i][k];
                UNROLL for (int r = 0; r < rows; r++) {
                    sum[r] = FMA((VECTOR){0} + p->a[r * p->a_stride + k], x, sum[r]);
                }
            }
            UNROLL for (int r = 0; r < rows; r++) {
                NAME(finish)(&sum[r], 1, p->alpha, block > 0 || p->accumulates,
                             p->c + r * p->c_stride + column, columns);
            }
        }
    }
}

#define TILE(n)                                                                                                       \
    case n: NAME(tile)(n, panel, b, step, inner, p->alpha, adds, c + row * p->c_stride, p->c_stride, columns); break;

// Some neighbouring columns of C, for all rows of the packed block of A, whose panels have about equal heights.
TARGET static void NAME(column_panel)(const rsae_product *p, const float *a, int64_t rows, const float *b,
                                      int64_t step, int64_t inner, bool adds, float *c, int64_t columns) {
    const int64_t panels = (rows + MR - 1) / MR;
    for (int64_t i = 0; i < panels; i++) {
        const int64_t row = rows * i / panels;
        const float *const panel = a + row * inner;
        switch (rows * (i + 1) / panels - row) {
            TILE(1)
            TILE(2)
            TILE(3)
            TILE(4)
#if MR > 4
            TILE(5)
            TILE(6)
#endif
#if MR > 6
            TILE(7)
            TILE(8)
            TILE(9)
            TILE(10)
            TILE(11)
            TILE(12)
            TILE(13)
            TILE(14)
#endif
        }
    }
}

TARGET static void NAME(pack_a)(const rsae_product *p, int64_t first, int64_t rows, int64_t k, int64_t inner,
                                float *target) {
    const int64_t panels = (rows + MR - 1) / MR;
    for (int64_t i = 0; i < panels; i++) {
        const int64_t row = rows * i / panels, height = rows * (i + 1) / panels - row;
        if (p->a_transposed) {
            NAME(pack_columns)(p->a + k * p->a_stride + first + row, p->a_stride, height, inner, height,
                               target + row * inner);
        } else {
            NAME(pack_rows)(p->a + (first + row) * p->a_stride + k, p->a_stride, height, inner, height,
                            target + row * inner);
        }
    }
}

TARGET static void NAME(multiply)(const rsae_product *p, float *scratch) {
    if (p->rows < THIN && p->b_transposed && !p->a_transposed) {
        p->rows == 1 ? NAME(thin)(1, p) : NAME(thin)(2, p);
        return;
    }
    float *const packed_b = scratch, *const a = scratch + RSAE_PRODUCT_BLOCK * NR;
    for (int64_t first = 0; first < p->rows; first += ROWS) {
        const int64_t rows = p->rows - first < ROWS ? p->rows - first : ROWS;
        int64_t inner;
        for (int64_t k = 0; k < p->inner; k += inner) {
            inner = BLOCK_LENGTH(p, k);
            NAME(pack_a)(p, first, rows, k, inner, a);
            for (int64_t column = 0; column < p->columns; column += NR) {
                const int64_t columns = p->columns - column < NR ? p->columns - column : NR;
                const float *b = packed_b;
                int64_t step = NR;
                if (p->b_transposed) {
                    NAME(pack_rows)(p->b + column * p->b_stride + k, p->b_stride, columns, inner, NR, packed_b);
                } else if (rows > MR || columns < NR) {
                    NAME(pack_columns)(p->b + k * p->b_stride + column, p->b_stride, columns, inner, NR, packed_b);
                } else {
                    b = p->b + k * p->b_stride + column;
                    step = p->b_stride;
                }
                NAME(column_panel)(p, a, rows, b, step, inner, k > 0 || p->accumulates,
                                   p->c + first * p->c_stride + column, columns);
            }
        }
    }
}

#undef TARGET
#undef NAME
#undef LANES
#undef MR
#undef FMA
#undef BROADCAST
#undef NR
#undef VECTOR
#undef STEP
#undef UNROLL
#undef PICK
#undef LOWER_QUARTERS
#undef UPPER_QUARTERS
#undef BLOCK_LENGTH
#undef TILE
