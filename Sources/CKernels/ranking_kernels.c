#include "ranking_kernels.h"
#include "lanes.h"

#include <stddef.h>

// Inserts a value into a list if it is among the best.
INLINE void offer(float value, int32_t number, int64_t k, float *kept, int32_t *held) {
    int64_t place = k - 1;
    if (!(value > kept[place] || (value == kept[place] && number < held[place]))) return;
    while (place > 0 && (kept[place - 1] < value || (kept[place - 1] == value && held[place - 1] > number))) {
        kept[place] = kept[place - 1];
        held[place] = held[place - 1];
        place--;
    }
    kept[place] = value;
    held[place] = number;
}

// The loop of rsae_rank_row, once with and once without the scale.
INLINE void rank_row(const float *values, const float *scale, float factor, int64_t n, int32_t first, int64_t k,
                     float *kept, int32_t *held) {
    int64_t i = 0;
    // Four vectors share one branch: after the first few of a row hardly any holds something for the list.
    for (; i + 64 <= n; i += 64) {
        lanes v[4];
        mask hit = {0};
        for (int part = 0; part < 4; part++) {
            v[part] = LOAD(values + i + 16 * part) * factor;
            if (scale) v[part] *= LOAD(scale + i + 16 * part);
            hit |= v[part] >= kept[k - 1];
        }
        if (__builtin_expect(__builtin_reduce_or(hit) == 0, 1)) continue;
        for (int part = 0; part < 4; part++) {
            for (uint32_t bits = BITS(v[part] >= kept[k - 1]); bits; bits &= bits - 1) {
                const int lane = __builtin_ctz(bits);
                offer(v[part][lane], first + (int32_t)i + 16 * part + lane, k, kept, held);
            }
        }
    }
    for (; i < n; i++) offer(values[i] * factor * (scale ? scale[i] : 1), first + (int32_t)i, k, kept, held);
}

CLONES void rsae_rank_row(const float *values, const float *scale, float factor, int64_t n, int32_t first, int64_t k,
                          float *kept, int32_t *held) {
    if (scale) rank_row(values, scale, factor, n, first, k, kept, held);
    else rank_row(values, NULL, factor, n, first, k, kept, held);
}

// Offers one cosine to the lists of both rows.
INLINE void offer_pair(float cosine, int64_t row, int64_t column, rsae_rankings lists) {
    const int64_t k = lists.k;
    offer(cosine, (int32_t)column, k, lists.kept + row * k, lists.held + row * k);
    offer(cosine, (int32_t)row, k, lists.kept + column * k, lists.held + column * k);
    lists.least[row] = lists.kept[row * k + k - 1];
    lists.least[column] = lists.kept[column * k + k - 1];
}

CLONES void rsae_rank_pairs(const float *products, int64_t stride, int64_t rows, int64_t columns, int64_t first_row,
                            int64_t first_column, const float *inverse_norm, rsae_rankings lists) {
    for (int64_t r = 0; r < rows; r++) {
        const int64_t row = first_row + r;
        const float *product = products + r * stride;
        const float inverse = inverse_norm[row];
        int64_t c = row + 1 > first_column ? row + 1 - first_column : 0;
        for (; c + 16 <= columns; c += 16) {
            const int64_t column = first_column + c;
            const lanes cosine = LOAD(product + c) * inverse * LOAD(inverse_norm + column);
            const uint32_t hits = BITS((cosine >= lists.least[row]) | (cosine >= LOAD(lists.least + column)));
            if (__builtin_expect(hits == 0, 1)) continue;
            for (uint32_t bits = hits; bits; bits &= bits - 1) {
                const int lane = __builtin_ctz(bits);
                offer_pair(cosine[lane], row, column + lane, lists);
            }
        }
        for (; c < columns; c++) {
            offer_pair(product[c] * inverse * inverse_norm[first_column + c], row, first_column + c, lists);
        }
    }
}
