// Kernels that keep the best of long rows of products. A list of rank k is two arrays of k: `kept`, values in falling
// order, and `held`, their numbers; equal values stand in rising order of their numbers. An empty place holds -INFINITY
// and INT32_MAX. The content of a list does not depend on the order of offers. A NaN is never kept.
#ifndef RANKING_KERNELS_H
#define RANKING_KERNELS_H

#include <stdint.h>

// Offers values[i] * factor * scale[i] with the number first + i, i in 0..<n, to one list; `scale` may be NULL for 1.
void rsae_rank_row(const float *values, const float *scale, float factor, int64_t n, int32_t first, int64_t k,
                   float *kept, int32_t *held);

// Lists of all rows of one matrix, one after another.
typedef struct {
    float *kept;    // [rows x k]
    int32_t *held;  // [rows x k]
    float *least;   // [rows] the last of each row's `kept`
    int64_t k;
} rsae_rankings;

// Offers the cosines of a tile of products of a matrix's rows with one another to the lists of both rows of each pair.
// products[r * stride + c] is <row first_row + r, row first_column + c>; only pairs with the second row behind the first
// are offered, so a tile on the diagonal counts each once and no row meets itself. `inverse_norm` is that of all rows;
// NaN for one that is left out.
void rsae_rank_pairs(const float *products, int64_t stride, int64_t rows, int64_t columns, int64_t first_row,
                     int64_t first_column, const float *inverse_norm, rsae_rankings lists);

#endif
