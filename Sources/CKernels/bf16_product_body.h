// The products of bf16 of one set of instructions; `bf16_product.c` includes this once for each. Whoever includes it
// defines
//
//     TARGET        the attribute that lets a function use the instructions
//     NAME(x)       the name of this set's x
//     LANES         floats in a vector
//     MR            rows of a tile of C, whose sums stay in registers
//     FACTORS       the type of a vector of pairs as DOT takes it
//     SPLIT(x)      a vector of pairs as FACTORS
//     DOT(s, y, x)  the sums s plus the products of the pairs y and x
//
// after which they are undefined again. Pairs of bf16 are packed as elements of 32 bits, with the tiles of
// `product_kernel_body.h`.

#include "packing_body.h"

// Columns of a tile.
#define NR (2 * LANES)
#define VECTOR NAME(vector)
#define BITS NAME(bits)
#define STEP TARGET static inline __attribute__((always_inline))
#define UNROLL _Pragma("clang loop unroll(full)")
#define PART(whole, done, most) ((whole) - (done) < (most) ? (whole) - (done) : (most))

// Adds the sums of one row of a tile to the first `columns` elements at c.
STEP void NAME(finish)(const VECTOR *sum, const int vectors, bool adds, float *c, int64_t columns) {
    if (columns == vectors * LANES) {
        UNROLL for (int v = 0; v < vectors; v++) {
            VECTOR *target = (VECTOR *)(c + v * LANES);
            *target = adds ? *target + sum[v] : sum[v];
        }
        return;
    }
    float edge[RSAE_PANEL_COLUMNS * 2] = {0};
    if (adds) memcpy(edge, c, (size_t)columns * sizeof(float));
    UNROLL for (int v = 0; v < vectors; v++) {
        VECTOR *target = (VECTOR *)(edge + v * LANES);
        *target = adds ? *target + sum[v] : sum[v];
    }
    memcpy(c, edge, (size_t)columns * sizeof(float));
}

// A tile of C, `rows` × NR, of whose columns the first `columns` exist. A is packed pair after pair; of B the first LANES
// columns are at b, the others `b_half` further on, and the next pairs are `b_step` further on.
STEP void NAME(tile)(const int rows, const rsae_element *a, const rsae_element *b, int64_t b_half, int64_t b_step,
                     int64_t pairs, bool adds, float *c, int64_t stride, int64_t columns) {
    VECTOR sum[MR][2];
    UNROLL for (int i = 0; i < rows; i++) {
        sum[i][0] = sum[i][1] = (VECTOR){0};
        // The row's first and last column, to the second-level cache (see `product_kernel_body.h`).
        __builtin_prefetch(c + i * stride, 1, 2);
        __builtin_prefetch((const void *)((uintptr_t)(c + i * stride) + (NR - 1) * sizeof(float)), 1, 2);
    }
    _Pragma("clang loop unroll_count(2)")
    for (int64_t k = 0; k < pairs; k++) {
        const FACTORS x0 = SPLIT(*(const BITS *)(b + k * b_step)), x1 = SPLIT(*(const BITS *)(b + k * b_step + b_half));
        UNROLL for (int i = 0; i < rows; i++) {
            BITS pair;
            BROADCAST(pair, a[k * rows + i]);
            const FACTORS y = SPLIT(pair);
            sum[i][0] = DOT(sum[i][0], y, x0);
            sum[i][1] = DOT(sum[i][1], y, x1);
        }
    }
    UNROLL for (int i = 0; i < rows; i++) NAME(finish)(sum[i], 2, adds, c + i * stride, columns);
}

// A product of very few rows, rounded at `a`, [rows × pairs], with B row by row: B is transposed in registers, LANES of its
// rows at a time, each read sequentially.
STEP void NAME(thin)(const int rows, const rsae_bf16_product *p, const rsae_element *a) {
    const int64_t pairs = p->inner / 2, stride = p->b_stride / 2;
    for (int64_t column = 0; column < p->columns; column += LANES) {
        const int64_t columns = PART(p->columns, column, LANES);
        const rsae_element *b[LANES];
        for (int64_t i = 0; i < LANES; i++) b[i] = i < columns ? (const rsae_element *)p->b + (column + i) * stride : 0;
        for (int64_t block = 0; block < pairs; block += BLOCK) {
            const int64_t end = block + PART(pairs, block, BLOCK);
            VECTOR sum[THIN];
            UNROLL for (int r = 0; r < rows; r++) sum[r] = (VECTOR){0};
            int64_t k = block;
            for (; k + LANES <= end; k += LANES) {
                NAME(moved) x[LANES];
                NAME(transpose)(b, k, PREFETCHED_ROWS * stride, x);
                UNROLL for (int i = 0; i < LANES; i++) {
                    UNROLL for (int r = 0; r < rows; r++) {
                        sum[r] = DOT(sum[r], SPLIT((BITS){0} + a[r * pairs + k + i]), SPLIT((BITS)x[i]));
                    }
                }
            }
            for (; k < end; k++) {
                BITS x = {0};
                for (int64_t i = 0; i < columns; i++) x[i] = b[i][k];
                UNROLL for (int r = 0; r < rows; r++) sum[r] = DOT(sum[r], SPLIT((BITS){0} + a[r * pairs + k]), SPLIT(x));
            }
            UNROLL for (int r = 0; r < rows; r++) {
                NAME(finish)(&sum[r], 1, block > 0 || p->accumulates, p->c + r * p->c_stride + column, columns);
            }
        }
    }
}

// Pairs of a panel, and its columns.
STEP int64_t NAME(panel_length)(const rsae_bf16_product *p) { return ((p->b_length ? p->b_length : p->inner) + 1) / 2; }
STEP int64_t NAME(panel_width)(const rsae_bf16_product *p) {
    return p->b_is_wide ? RSAE_WIDE_PANEL_COLUMNS : RSAE_PANEL_COLUMNS;
}

// `rows` rounded rows of A times `vectors` vectors of columns of B from one on, which are whole panels of `width` columns
// or within one: each is read once, from its beginning to its end.
STEP void NAME(thin_columns)(const int rows, const int vectors, const int64_t width, const rsae_bf16_product *p,
                             const rsae_element *a, int64_t column) {
    const int64_t pairs = (p->inner + 1) / 2, length = NAME(panel_length)(p);
    const rsae_element *b = (const rsae_element *)p->b_panels + column / width * width * length + column % width;
    for (int64_t block = 0; block < pairs; block += BLOCK) {
        const int64_t end = block + PART(pairs, block, BLOCK);
        VECTOR sum[THIN][THIN_VECTORS];
        UNROLL for (int r = 0; r < rows; r++) {
            UNROLL for (int v = 0; v < vectors; v++) sum[r][v] = (VECTOR){0};
        }
        for (int64_t k = block; k < end; k++) {
            BITS y[THIN];
            UNROLL for (int r = 0; r < rows; r++) BROADCAST(y[r], a[r * pairs + k]);
            UNROLL for (int v = 0; v < vectors; v++) {
                const FACTORS x = SPLIT(*(const BITS *)(b + (v * LANES / width * length + k) * width + v * LANES % width));
                UNROLL for (int r = 0; r < rows; r++) sum[r][v] = DOT(sum[r][v], SPLIT(y[r]), x);
            }
        }
        UNROLL for (int r = 0; r < rows; r++) {
            UNROLL for (int v = 0; v < vectors; v++) {
                const int64_t first = column + v * LANES;
                if (first >= p->columns) break;
                NAME(finish)(&sum[r][v], 1, block > 0 || p->accumulates, p->c + r * p->c_stride + first,
                             PART(p->columns, first, LANES));
            }
        }
    }
}

// As many vectors of columns side by side as there are whole groups of them, from a column on; where the next group begins.
// None if their sums do not stay in registers.
STEP int64_t NAME(thin_groups)(const int rows, const int vectors, const int64_t width, const rsae_bf16_product *p,
                               const rsae_element *a, int64_t column) {
    if (rows * vectors > THIN_VECTORS) return column;
    // The last group may be filled up with columns that are in the panel, and not in the product.
    const int64_t filled = (p->columns + RSAE_PANEL_COLUMNS - 1) / RSAE_PANEL_COLUMNS * RSAE_PANEL_COLUMNS;
    for (; column + vectors * LANES <= filled; column += vectors * LANES) {
        NAME(thin_columns)(rows, vectors, width, p, a, column);
    }
    return column;
}

STEP void NAME(thin_product)(const int rows, const int64_t width, const rsae_bf16_product *p, const rsae_element *a) {
    enum { VECTORS = RSAE_PANEL_COLUMNS / LANES };
    int64_t column = NAME(thin_groups)(rows, 4 * VECTORS, width, p, a, 0);
    column = NAME(thin_groups)(rows, 2 * VECTORS, width, p, a, column);
    NAME(thin_groups)(rows, VECTORS, width, p, a, column);
}

STEP void NAME(few_rows)(const int rows, const rsae_bf16_product *p, const rsae_element *a) {
    if (!p->b_panels) NAME(thin)(rows, p, a);
    else if (p->b_is_wide) NAME(thin_product)(rows, RSAE_WIDE_PANEL_COLUMNS, p, a);
    else NAME(thin_product)(rows, RSAE_PANEL_COLUMNS, p, a);
}

#define TILE(n)                                                                                                       \
    case n:                                                                                                           \
        NAME(tile)(n, panel, b, half, step, pairs, adds, c + row * p->c_stride, p->c_stride, columns);                \
        break;

// Some neighbouring columns of C, for all rows of the packed block of A, whose panels have about equal heights.
TARGET static void NAME(column_panel)(const rsae_bf16_product *p, const rsae_element *a, int64_t rows,
                                      const rsae_element *b, int64_t half, int64_t step, int64_t pairs, bool adds,
                                      float *c, int64_t columns) {
    const int64_t panels = (rows + MR - 1) / MR;
    for (int64_t i = 0; i < panels; i++) {
        const int64_t row = rows * i / panels;
        const rsae_element *const panel = a + row * pairs;
        switch (rows * (i + 1) / panels - row) {
            TILE(1)
            TILE(2)
#if MR > 2
            TILE(3)
            TILE(4)
#endif
#if MR > 4
            TILE(5)
            TILE(6)
            TILE(7)
            TILE(8)
            TILE(9)
            TILE(10)
            TILE(11)
            TILE(12)
#endif
#if MR > 12
            TILE(13)
            TILE(14)
#endif
        }
    }
}

// Rounds terms of some rows to [rows × BLOCK] pairs; an odd last one is followed by zero.
TARGET static void NAME(round_rows)(const float *source, int64_t stride, int64_t rows, int64_t terms, int64_t room,
                                    rsae_element *target) {
    for (int64_t row = 0; row < rows; row++) {
        uint16_t *to = (uint16_t *)(target + row * room);
        const float *from = source + row * stride;
        for (int64_t k = 0; k < terms; k++) to[k] = rsae_bf16(from[k]);
        if (terms % 2) to[terms] = 0;
    }
}

TARGET static void NAME(pack_a)(const rsae_bf16_product *p, int64_t first, int64_t rows, int64_t k, int64_t pairs,
                                rsae_element *stage, rsae_element *target) {
    const int64_t panels = (rows + MR - 1) / MR;
    for (int64_t i = 0; i < panels; i++) {
        const int64_t row = rows * i / panels, height = rows * (i + 1) / panels - row;
        NAME(round_rows)(p->a + (first + row) * p->a_stride + 2 * k, p->a_stride, height,
                         PART(p->inner, 2 * k, 2 * pairs), BLOCK, stage);
        NAME(pack_rows)(stage, BLOCK, height, pairs, height, target + row * pairs);
    }
}

// Packs rows of B, by way of `stage` where its pairs do not follow one another at whole elements.
TARGET static void NAME(pack_b)(const rsae_bf16_product *p, int64_t column, int64_t columns, int64_t k, int64_t pairs,
                                rsae_element *stage, rsae_element *target) {
    const uint16_t *first = p->b + column * p->b_stride + 2 * k;
    if (p->b_stride % 2 == 0 && p->inner % 2 == 0) {
        NAME(pack_rows)((const rsae_element *)first, p->b_stride / 2, columns, pairs, NR, target);
        return;
    }
    const int64_t terms = PART(p->inner, 2 * k, 2 * pairs);
    for (int64_t row = 0; row < columns; row++) {
        uint16_t *to = (uint16_t *)(stage + row * BLOCK);
        memcpy(to, first + row * p->b_stride, (size_t)terms * sizeof *to);
        if (terms % 2) to[terms] = 0;
    }
    NAME(pack_rows)(stage, BLOCK, columns, pairs, NR, target);
}

// `stage` has room for a panel of a block's length.
TARGET static void NAME(pack_panels)(const float *weights, int64_t stride, int64_t columns, rsae_panels panels,
                                     rsae_element *stage) {
    const int64_t inner = panels.inner, pairs = (inner + 1) / 2;
    for (int64_t column = 0; column < columns; column += panels.width) {
        const int64_t count = PART(columns, column, panels.width);
        for (int64_t k = 0; k < pairs; k += BLOCK) {
            const int64_t length = PART(pairs, k, BLOCK);
            NAME(round_rows)(weights + column * stride + 2 * k, stride, count, PART(inner, 2 * k, 2 * length), BLOCK,
                             stage);
            NAME(pack_rows)(stage, BLOCK, count, length, panels.width,
                            (rsae_element *)panels.start + column * pairs + k * panels.width);
        }
    }
}

TARGET static void NAME(multiply)(const rsae_bf16_product *p, rsae_element *scratch) {
    const int64_t all = (p->inner + 1) / 2, length = NAME(panel_length)(p), width = NAME(panel_width)(p);
    rsae_element *const stage = scratch, *const packed_b = stage + MOST_COLUMNS * BLOCK;
    rsae_element *const a = packed_b + MOST_COLUMNS * BLOCK;
    const bool is_even = p->b_stride % 2 == 0 && p->inner % 2 == 0;
    if (p->rows < THIN && p->rows * all <= ROWS * BLOCK && (p->b_panels || is_even)) {
        NAME(round_rows)(p->a, p->a_stride, p->rows, p->inner, all, a);
        p->rows == 1 ? NAME(few_rows)(1, p, a) : NAME(few_rows)(2, p, a);
        return;
    }
    for (int64_t first = 0; first < p->rows; first += ROWS) {
        const int64_t rows = PART(p->rows, first, ROWS);
        for (int64_t k = 0; k < all; k += BLOCK) {
            const int64_t pairs = PART(all, k, BLOCK);
            NAME(pack_a)(p, first, rows, k, pairs, stage, a);
            for (int64_t column = 0; column < p->columns; column += NR) {
                const int64_t columns = PART(p->columns, column, NR);
                const rsae_element *b = packed_b;
                int64_t step = NR, half = LANES;
                if (p->b_panels) {
                    const int64_t place = column % width;
                    b = (const rsae_element *)p->b_panels + (column - place) * length + k * width + place;
                    step = width;
                    // Where there is no second panel the first stands in for it: these columns are not stored.
                    if (NR > width) half = columns > width ? length * width : 0;
                } else {
                    NAME(pack_b)(p, column, columns, k, pairs, stage, packed_b);
                }
                NAME(column_panel)(p, a, rows, b, half, step, pairs, k > 0 || p->accumulates,
                                   p->c + first * p->c_stride + column, columns);
            }
        }
    }
}

#undef TARGET
#undef NAME
#undef LANES
#undef MR
#undef FACTORS
#undef SPLIT
#undef DOT
#undef BROADCAST
#undef NR
#undef VECTOR
#undef BITS
#undef STEP
#undef UNROLL
#undef PART
#undef TILE
