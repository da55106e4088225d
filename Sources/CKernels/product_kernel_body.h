// The products of one set of instructions; `product_kernel.c` includes this once for each. Whoever includes it defines
//
//     TARGET           the attribute that lets a function use the instructions
//     NAME(x)          the name of this set's x
//     LANES            floats in a vector
//     MR               rows of a tile of C, whose sums stay in registers
//     THIN_VECTORS     sums of a product of very few rows that stay in registers
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
typedef uint32_t NAME(bits) __attribute__((vector_size(4 * LANES)));
typedef uint16_t NAME(halves) __attribute__((vector_size(2 * LANES), aligned(2), may_alias));

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

// LANES rows of LANES floats, from column k on, transposed: first squares of 4 × 4 floats within the quarters,
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

// How near C is fetched while the sums of its tile are made. Its rows often are a power of two apart, so that they all fall
// on the same few places of the first-level cache, which holds eight of them; more wait in the second.
#define CLOSENESS (MR > 8 ? 2 : 3)

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

// The same for the sums of a whole panel of columns.
STEP void NAME(finish_panel)(const VECTOR *sum, float alpha, bool adds, float *c, int64_t columns) {
    UNROLL for (int v = 0; v < RSAE_PANEL_COLUMNS / LANES; v++) {
        if (v * LANES >= columns) break;
        const int64_t rest = columns - v * LANES;
        NAME(finish)(sum + v, 1, alpha, adds, c + v * LANES, rest < LANES ? rest : LANES);
    }
}

// A tile of C, `rows` × NR, of whose columns the first `columns` exist. A is packed k after k; of B the first LANES columns
// are at b, the others `b_half` further on, and the next row is `b_step` further on.
STEP void NAME(tile)(const int rows, const float *a, const float *b, int64_t b_half, int64_t b_step, int64_t inner,
                     float alpha, bool adds, float *c, int64_t stride, int64_t columns) {
    VECTOR sum[MR][2];
    UNROLL for (int i = 0; i < rows; i++) {
        sum[i][0] = sum[i][1] = (VECTOR){0};
        // The row's first and last column, which is in the next cache line of all that there may be.
        __builtin_prefetch(c + i * stride, 1, CLOSENESS);
        __builtin_prefetch((const void *)((uintptr_t)(c + i * stride) + (NR - 1) * sizeof(float)), 1, CLOSENESS);
    }
    for (int64_t k = 0; k < inner; k++) {
        const VECTOR x0 = *(const VECTOR *)(b + k * b_step), x1 = *(const VECTOR *)(b + k * b_step + b_half);
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

// A product of very few rows with B stored as [columns × inner]: B is transposed in registers, LANES of its rows at a time,
// each read sequentially.
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

// LANES elements of a panel.
STEP VECTOR NAME(panel_row)(const void *panels, int64_t element, const bool halved) {
    if (!halved) return *(const VECTOR *)((const float *)panels + element);
    const NAME(halves) x = *(const NAME(halves) *)((const uint16_t *)panels + element);
    return (VECTOR)(__builtin_convertvector(x, NAME(bits)) << 16);
}

// `rows` rows of A times `panels` panels of B from a column on: each panel is read once, from its beginning to its end.
STEP void NAME(thin_panels)(const int rows, const int panels, const bool halved, const rsae_product *p,
                            int64_t column) {
    enum { VECTORS = RSAE_PANEL_COLUMNS / LANES };
    int64_t length;
    for (int64_t block = 0; block < p->inner; block += length) {
        length = BLOCK_LENGTH(p, block);
        VECTOR sum[THIN][THIN_VECTORS];
        UNROLL for (int r = 0; r < rows; r++) {
            UNROLL for (int v = 0; v < panels * VECTORS; v++) sum[r][v] = (VECTOR){0};
        }
        for (int64_t k = block; k < block + length; k++) {
            VECTOR y[THIN];
            UNROLL for (int r = 0; r < rows; r++) BROADCAST(y[r], p->a[r * p->a_stride + k]);
            UNROLL for (int v = 0; v < panels * VECTORS; v++) {
                const VECTOR x = NAME(panel_row)(
                    p->b_panels,
                    (column + v / VECTORS * RSAE_PANEL_COLUMNS) * p->inner + k * RSAE_PANEL_COLUMNS
                        + v % VECTORS * LANES,
                    halved);
                UNROLL for (int r = 0; r < rows; r++) sum[r][v] = FMA(y[r], x, sum[r][v]);
            }
        }
        UNROLL for (int r = 0; r < rows; r++) {
            UNROLL for (int i = 0; i < panels; i++) {
                const int64_t first = column + i * RSAE_PANEL_COLUMNS, rest = p->columns - first;
                NAME(finish_panel)(&sum[r][i * VECTORS], p->alpha, block > 0 || p->accumulates,
                                   p->c + r * p->c_stride + first,
                                   rest < RSAE_PANEL_COLUMNS ? rest : RSAE_PANEL_COLUMNS);
            }
        }
    }
}

// As many panels side by side as there are whole groups of them, from a column on; where the next group begins. None if
// their sums do not stay in registers.
STEP int64_t NAME(thin_groups)(const int rows, const int panels, const bool halved, const rsae_product *p,
                               int64_t column) {
    if (rows * panels * RSAE_PANEL_COLUMNS > THIN_VECTORS * LANES) return column;
    for (; column + (panels - 1) * RSAE_PANEL_COLUMNS < p->columns; column += panels * RSAE_PANEL_COLUMNS) {
        NAME(thin_panels)(rows, panels, halved, p, column);
    }
    return column;
}

// A product of very few rows with B in panels, of which several side by side keep the processor's units for arithmetic
// busy: a sum by itself waits for its last term.
STEP void NAME(thin_product)(const int rows, const bool halved, const rsae_product *p) {
    int64_t column = NAME(thin_groups)(rows, 8, halved, p, 0);
    column = NAME(thin_groups)(rows, 4, halved, p, column);
    column = NAME(thin_groups)(rows, 2, halved, p, column);
    NAME(thin_groups)(rows, 1, halved, p, column);
}

// Widens terms k to k + inner of a panel of bf16.
STEP void NAME(widen_panel)(const void *panel, int64_t k, int64_t inner, float *target) {
    for (int64_t i = 0; i < inner * RSAE_PANEL_COLUMNS; i += LANES) {
        *(VECTOR *)(target + i) = NAME(panel_row)(panel, k * RSAE_PANEL_COLUMNS + i, true);
    }
}

// Where the columns of a tile begin in panels, from term k on, of `inner` terms; the second half follows after `half`.
// Elements that are bf16 are widened to `room`.
TARGET static const float *NAME(panels_of_tile)(const rsae_product *p, int64_t column, int64_t k, int64_t inner,
                                                float *room, int64_t *half) {
    const int64_t first = column / RSAE_PANEL_COLUMNS * RSAE_PANEL_COLUMNS;
    const int64_t length = p->inner * RSAE_PANEL_COLUMNS;
    // Where there is no second panel the first stands in for it: these columns are not stored.
    const bool has_second = NR > RSAE_PANEL_COLUMNS && first + RSAE_PANEL_COLUMNS < p->columns;
    const float *start;
    if (p->b_is_halved) {
        const uint16_t *panel = (const uint16_t *)p->b_panels + first * p->inner;
        NAME(widen_panel)(panel, k, inner, room);
        if (has_second) NAME(widen_panel)(panel + length, k, inner, room + inner * RSAE_PANEL_COLUMNS);
        start = room;
        *half = inner * RSAE_PANEL_COLUMNS;
    } else {
        start = (const float *)p->b_panels + first * p->inner + k * RSAE_PANEL_COLUMNS;
        *half = length;
    }
    if (!has_second) *half = 0;
    if (NR <= RSAE_PANEL_COLUMNS) *half = LANES;
    return start + (column - first);
}

#define TILE(n)                                                                                                       \
    case n:                                                                                                           \
        NAME(tile)(n, panel, b, half, step, inner, p->alpha, adds, c + row * p->c_stride, p->c_stride, columns);      \
        break;

// Some neighbouring columns of C, for all rows of the packed block of A, whose panels have about equal heights.
TARGET static void NAME(column_panel)(const rsae_product *p, const float *a, int64_t rows, const float *b, int64_t half,
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
    if (p->b_panels && p->rows < THIN && !p->a_transposed) {
        if (p->b_is_halved) {
            p->rows == 1 ? NAME(thin_product)(1, true, p) : NAME(thin_product)(2, true, p);
        } else {
            p->rows == 1 ? NAME(thin_product)(1, false, p) : NAME(thin_product)(2, false, p);
        }
        return;
    }
    if (!p->b_panels && p->rows < THIN && p->b_transposed && !p->a_transposed) {
        p->rows == 1 ? NAME(thin)(1, p) : NAME(thin)(2, p);
        return;
    }
    float *const packed_b = scratch, *const a = scratch + RSAE_PRODUCT_BLOCK * MOST_COLUMNS;
    for (int64_t first = 0; first < p->rows; first += ROWS) {
        const int64_t rows = p->rows - first < ROWS ? p->rows - first : ROWS;
        int64_t inner;
        for (int64_t k = 0; k < p->inner; k += inner) {
            inner = BLOCK_LENGTH(p, k);
            NAME(pack_a)(p, first, rows, k, inner, a);
            for (int64_t column = 0; column < p->columns; column += NR) {
                const int64_t columns = p->columns - column < NR ? p->columns - column : NR;
                const float *b = packed_b;
                int64_t step = NR, half = LANES;
                if (p->b_panels) {
                    b = NAME(panels_of_tile)(p, column, k, inner, packed_b, &half);
                    step = RSAE_PANEL_COLUMNS;
                } else if (p->b_transposed) {
                    NAME(pack_rows)(p->b + column * p->b_stride + k, p->b_stride, columns, inner, NR, packed_b);
                } else if (rows > MR || columns < NR) {
                    NAME(pack_columns)(p->b + k * p->b_stride + column, p->b_stride, columns, inner, NR, packed_b);
                } else {
                    b = p->b + k * p->b_stride + column;
                    step = p->b_stride;
                }
                NAME(column_panel)(p, a, rows, b, half, step, inner, k > 0 || p->accumulates,
                                   p->c + first * p->c_stride + column, columns);
            }
        }
    }
}

#undef TARGET
#undef NAME
#undef LANES
#undef MR
#undef THIN_VECTORS
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
#undef CLOSENESS
