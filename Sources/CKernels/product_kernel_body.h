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

#include "packing_body.h"

// Columns of a tile.
#define NR (2 * LANES)
#define VECTOR NAME(vector)
#define STEP TARGET static inline __attribute__((always_inline))
#define UNROLL _Pragma("clang loop unroll(full)")

#define ELEMENTS(floats) ((const rsae_element *)(floats))

typedef float NAME(vector) __attribute__((vector_size(4 * LANES), aligned(4), may_alias));
typedef uint32_t NAME(bits) __attribute__((vector_size(4 * LANES), aligned(4), may_alias));

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
    _Pragma("clang loop unroll_count(2)")
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
        const rsae_element *b[LANES];
        for (int64_t i = 0; i < LANES; i++) b[i] = i < columns ? ELEMENTS(p->b) + (column + i) * p->b_stride : 0;
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
                for (int64_t i = 0; i < columns; i++) x[i] = p->b[(column + i) * p->b_stride + k];
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

// Terms of a panel.
STEP int64_t NAME(panel_terms)(const rsae_product *p) { return p->b_length ? p->b_length : p->inner; }

// Elements of one column in a panel.
STEP int64_t NAME(panel_length)(const rsae_product *p, const bool halved) {
    return halved ? (NAME(panel_terms)(p) + 1) / 2 : NAME(panel_terms)(p);
}

// Where a column begins in panels of `width` columns; its next element is `width` further on.
STEP const rsae_element *NAME(panel)(const rsae_product *p, int64_t column, const int64_t width, const bool halved) {
    return (const rsae_element *)p->b_panels + column / width * width * NAME(panel_length)(p, halved) + column % width;
}

// Adds terms k and k + 1, of bf16 a pair, of some vectors of columns side by side to the sums of some rows; `terms` is 1
// or 2.
STEP void NAME(thin_terms)(const int rows, const int vectors, const int64_t width, const bool halved, const int terms,
                           const rsae_product *p, const rsae_element *const *start, int64_t k,
                           VECTOR (*sum)[THIN_VECTORS]) {
    VECTOR y[2][THIN_PACKED];
    UNROLL for (int term = 0; term < terms; term++) {
        UNROLL for (int r = 0; r < rows; r++) BROADCAST(y[term][r], p->a[r * p->a_stride + k + term]);
    }
    UNROLL for (int v = 0; v < vectors; v++) {
        const rsae_element *const first = start[v] + (halved ? k / 2 : k) * width;
        VECTOR x[2];
        if (halved) {
            const NAME(bits) pairs = *(const NAME(bits) *)first;
            x[0] = (VECTOR)(pairs << 16);
            x[1] = (VECTOR)(pairs & 0xFFFF0000);
        } else {
            x[0] = *(const VECTOR *)first;
            if (terms > 1) x[1] = *(const VECTOR *)(first + width);
        }
        UNROLL for (int term = 0; term < terms; term++) {
            UNROLL for (int r = 0; r < rows; r++) sum[r][v] = FMA(y[term][r], x[term], sum[r][v]);
        }
    }
}

// `rows` rows of A times `vectors` vectors of columns of B from one on, which are whole panels of `width` columns or
// within one: each is read once, from its beginning to its end.
STEP void NAME(thin_columns)(const int rows, const int vectors, const int64_t width, const bool halved,
                             const rsae_product *p, int64_t column) {
    const rsae_element *const panel = NAME(panel)(p, column, width, halved);
    const rsae_element *start[THIN_VECTORS];
    UNROLL for (int v = 0; v < vectors; v++) {
        start[v] = panel + v * LANES / width * width * NAME(panel_length)(p, halved) + v * LANES % width;
    }
    int64_t length;
    for (int64_t block = 0; block < p->inner; block += length) {
        length = BLOCK_LENGTH(p, block);
        VECTOR sum[THIN_PACKED][THIN_VECTORS];
        UNROLL for (int r = 0; r < rows; r++) {
            UNROLL for (int v = 0; v < vectors; v++) sum[r][v] = (VECTOR){0};
        }
        int64_t k = block;
        // Blocks begin with an even term, the first of a pair.
        for (; k + 2 <= block + length; k += 2) NAME(thin_terms)(rows, vectors, width, halved, 2, p, start, k, sum);
        if (k < block + length) NAME(thin_terms)(rows, vectors, width, halved, 1, p, start, k, sum);
        UNROLL for (int r = 0; r < rows; r++) {
            UNROLL for (int v = 0; v < vectors; v++) {
                const int64_t first = column + v * LANES, rest = p->columns - first;
                if (rest <= 0) break;
                NAME(finish)(sum[r] + v, 1, p->alpha, block > 0 || p->accumulates, p->c + r * p->c_stride + first,
                             rest < LANES ? rest : LANES);
            }
        }
    }
}

// As many vectors of columns side by side as there are whole groups of them, from a column on; where the next group begins.
// None if their sums do not stay in registers.
STEP int64_t NAME(thin_groups)(const int rows, const int vectors, const int64_t width, const bool halved,
                               const rsae_product *p, int64_t column) {
    if (rows * vectors > THIN_VECTORS) return column;
    // The last group may be filled up with columns that are in the panel, and not in the product.
    const int64_t filled = (p->columns + RSAE_PANEL_COLUMNS - 1) / RSAE_PANEL_COLUMNS * RSAE_PANEL_COLUMNS;
    for (; column + vectors * LANES <= filled; column += vectors * LANES) {
        NAME(thin_columns)(rows, vectors, width, halved, p, column);
    }
    return column;
}

// A product of very few rows with B in panels, of which several vectors side by side keep the processor's units for
// arithmetic busy: a sum by itself waits for its last term. Of a wide panel four do, since memory delivers one stream faster
// than two.
STEP void NAME(thin_product)(const int rows, const int64_t width, const bool halved, const rsae_product *p) {
    enum { VECTORS = RSAE_PANEL_COLUMNS / LANES };
    int64_t column = width == RSAE_PANEL_COLUMNS ? NAME(thin_groups)(rows, 8 * VECTORS, width, halved, p, 0) : 0;
    column = NAME(thin_groups)(rows, 4 * VECTORS, width, halved, p, column);
    column = NAME(thin_groups)(rows, 2 * VECTORS, width, halved, p, column);
    NAME(thin_groups)(rows, VECTORS, width, halved, p, column);
}

STEP void NAME(few_rows)(const int rows, const rsae_product *p) {
    if (p->b_is_wide) {
        if (p->b_is_halved) NAME(thin_product)(rows, RSAE_WIDE_PANEL_COLUMNS, true, p);
        else NAME(thin_product)(rows, RSAE_WIDE_PANEL_COLUMNS, false, p);
    } else {
        if (p->b_is_halved) NAME(thin_product)(rows, RSAE_PANEL_COLUMNS, true, p);
        else NAME(thin_product)(rows, RSAE_PANEL_COLUMNS, false, p);
    }
}

// Whether there are so few rows that their sums with a panel stay in registers.
#define IS_THIN(p)                                                                                                    \
    ((p)->rows < THIN_PACKED && (p)->rows * RSAE_PANEL_COLUMNS <= THIN_VECTORS * LANES && !(p)->a_transposed)

// Widens terms k to k + inner of RSAE_PANEL_COLUMNS columns of panels of bf16, from one on.
STEP void NAME(widen)(const rsae_product *p, int64_t column, int64_t width, int64_t k, int64_t inner, float *target) {
    const rsae_element *const first = NAME(panel)(p, column, width, true);
    for (int64_t i = 0; i < inner; i++) {
        UNROLL for (int v = 0; v < RSAE_PANEL_COLUMNS; v += LANES) {
            const NAME(bits) pairs = *(const NAME(bits) *)(first + (k + i) / 2 * width + v);
            *(VECTOR *)(target + i * RSAE_PANEL_COLUMNS + v) =
                (VECTOR)((k + i) % 2 ? pairs & 0xFFFF0000 : pairs << 16);
        }
    }
}

// Where the columns of a tile begin in panels, from term k on, of `inner` terms; the next term follows after `step`, the
// tile's second half after `half`. Elements that are bf16 are widened to `room`.
TARGET static const float *NAME(panels_of_tile)(const rsae_product *p, int64_t column, int64_t k, int64_t inner,
                                                float *room, int64_t *half, int64_t *step) {
    const int64_t width = p->b_is_wide ? RSAE_WIDE_PANEL_COLUMNS : RSAE_PANEL_COLUMNS;
    const float *start;
    if (p->b_is_halved) {
        const int64_t first = column / RSAE_PANEL_COLUMNS * RSAE_PANEL_COLUMNS;
        NAME(widen)(p, first, width, k, inner, room);
        if (NR > RSAE_PANEL_COLUMNS && first + RSAE_PANEL_COLUMNS < p->columns) {
            NAME(widen)(p, first + RSAE_PANEL_COLUMNS, width, k, inner, room + inner * RSAE_PANEL_COLUMNS);
        }
        start = room + (column - first);
        *step = RSAE_PANEL_COLUMNS;
        *half = inner * RSAE_PANEL_COLUMNS;
    } else {
        start = (const float *)NAME(panel)(p, column, width, false) + k * width;
        *step = width;
        *half = width * NAME(panel_length)(p, false);
    }
    if (NR <= *step) *half = LANES;
    // Where there is no second panel the first stands in for it: these columns are not stored.
    else if (column + *step >= p->columns) *half = 0;
    return start;
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
            NAME(pack_rows)(ELEMENTS(p->a) + (first + row) * p->a_stride + k, p->a_stride, height, inner, height,
                            (rsae_element *)target + row * inner);
        }
    }
}

TARGET static void NAME(multiply)(const rsae_product *p, float *scratch) {
    if (p->b_panels && IS_THIN(p)) {
        switch (p->rows) {
            case 1: return NAME(few_rows)(1, p);
            case 2: return NAME(few_rows)(2, p);
            case 3: return NAME(few_rows)(3, p);
            case 4: return NAME(few_rows)(4, p);
        }
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
                    b = NAME(panels_of_tile)(p, column, k, inner, packed_b, &half, &step);
                } else if (p->b_transposed) {
                    NAME(pack_rows)(ELEMENTS(p->b) + column * p->b_stride + k, p->b_stride, columns, inner, NR,
                                    (rsae_element *)packed_b);
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
#undef ELEMENTS
#undef BLOCK_LENGTH
#undef TILE
#undef IS_THIN
#undef CLOSENESS
