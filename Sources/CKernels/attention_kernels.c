// Attention between its two products: the softmax of scores, whose keys come in blocks.
#include "elementary_functions.h"
#include "transformer_kernels.h"

#include <math.h>
#include <string.h>

CLONES void rsae_soft_cap(float *rows, int64_t stride, int64_t count, int64_t width, float cap) {
    const lanes inverse = (lanes){0} + 1.0f / cap;
    for (int64_t r = 0; r < count; r++) {
        float *row = rows + r * stride;
        for (int64_t i = 0; i < width; i += WIDTH) {
            lanes x = {0};
            const size_t bytes = (size_t)(width - i < WIDTH ? width - i : WIDTH) * sizeof(float);
            memcpy(&x, row + i, bytes);
            x *= inverse;
            tanh_lanes(&x);
            x *= cap;
            memcpy(row + i, &x, bytes);
        }
    }
}

// Of the lanes at columns at ... at + 15, those outside from ..< to become `otherwise`.
INLINE void hide(lanes *x, int64_t at, int64_t from, int64_t to, float otherwise) {
    const mask column = (mask){0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15} + (int32_t)at;
    const mask seen = (column >= (int32_t)from) & (column < (int32_t)to);
    *x = SELECT(seen, *x, (lanes){0} + otherwise);
}

// The largest of the lanes, halving their number each time.
INLINE float largest_lane(const lanes *lane) {
    typedef float eight __attribute__((vector_size(32)));
    typedef float four __attribute__((vector_size(16)));
    typedef int32_t eight_ints __attribute__((vector_size(32)));
    typedef int32_t four_ints __attribute__((vector_size(16)));
    eight a, b;
    memcpy(&a, lane, sizeof a);
    memcpy(&b, (const char *)lane + sizeof a, sizeof b);
    const eight_ints keep = a > b;
    a = (eight)((keep & (eight_ints)a) | (~keep & (eight_ints)b));
    four c, d;
    memcpy(&c, &a, sizeof c);
    memcpy(&d, (const char *)&a + sizeof c, sizeof d);
    const four_ints kept = c > d;
    c = (four)((kept & (four_ints)c) | (~kept & (four_ints)d));
    const float x = c[0] > c[1] ? c[0] : c[1], y = c[2] > c[3] ? c[2] : c[3];
    return x > y ? x : y;
}

// Turns the scores of one row at the columns from ..< to into exp(score - largest) and all others into 0, and returns
// the sum of what the row now holds. `largest` is the largest of these scores and of the one before, which it becomes.
INLINE float softmax_row(float *score, int64_t columns, int64_t from, int64_t to, float *before) {
    // Whole vectors from the one that holds `from` to the one that holds the last visible column; only the outermost
    // two can hold columns that are not seen.
    const int64_t begin = from / WIDTH * WIDTH, last = (to - 1) / WIDTH * WIDTH;
    lanes x = LOAD(score + begin);
    hide(&x, begin, from, to, -INFINITY);
    lanes largest = x;
    for (int64_t i = begin + WIDTH; i < last; i += WIDTH) {
        x = LOAD(score + i);
        largest = SELECT(x > largest, x, largest);
    }
    x = LOAD(score + last);
    hide(&x, last, from, to, -INFINITY);
    largest = SELECT(x > largest, x, largest);
    float top = largest_lane(&largest);
    top = *before > top ? *before : top;
    *before = top;

    x = LOAD(score + begin) - top;
    exp_lanes(&x);
    hide(&x, begin, from, to, 0);
    STORE(score + begin, x);
    lanes sum = x;
    for (int64_t i = begin + WIDTH; i < last; i += WIDTH) {
        x = LOAD(score + i) - top;
        exp_lanes(&x);
        STORE(score + i, x);
        sum += x;
    }
    if (last > begin) {
        x = LOAD(score + last) - top;
        exp_lanes(&x);
        hide(&x, last, from, to, 0);
        STORE(score + last, x);
        sum += x;
    }
    if (begin > 0) memset(score, 0, (size_t)begin * sizeof(float));
    if (columns > last + WIDTH) memset(score + last + WIDTH, 0, (size_t)(columns - last - WIDTH) * sizeof(float));
    return SUM(sum);
}

CLONES void rsae_causal_softmax(float *scores, int64_t stride, int64_t queries, int64_t group, int64_t columns,
                                int64_t first, int64_t window, bool is_first, float *largest, float *sum, float *mixed,
                                int64_t head_dim) {
    for (int64_t q = 0; q < queries; q++) {
        const int64_t end = first + q + 1, to = end < columns ? end : columns, from = end > window ? end - window : 0;
        for (int64_t r = q * group; r < (q + 1) * group; r++) {
            if (is_first) {
                largest[r] = -INFINITY;
                sum[r] = 0;
            }
            if (from >= to) {
                memset(scores + r * stride, 0, (size_t)columns * sizeof(float));
                continue;
            }
            const float before = largest[r];
            const float added = softmax_row(scores + r * stride, columns, from, to, &largest[r]);
            if (largest[r] == before) {
                sum[r] += added;
                continue;
            }
            // What was summed so far was relative to a smaller score; before the first visible block it is zero.
            lanes factor = (lanes){0} + (before - largest[r]);
            exp_lanes(&factor);
            const float scale = before == -INFINITY ? 0 : factor[0];
            sum[r] = sum[r] * scale + added;
            if (is_first) continue;
            float *row = mixed + r * head_dim;
            for (int64_t i = 0; i < head_dim; i++) row[i] *= scale;
        }
    }
}

CLONES void rsae_divide_heads(const float *tile, int64_t queries, int64_t group, int64_t head_dim, const float *sum,
                              float *out, int64_t out_stride) {
    for (int64_t q = 0; q < queries; q++) {
        for (int64_t h = 0; h < group; h++) {
            const float *from = tile + (q * group + h) * head_dim;
            float *to = out + q * out_stride + h * head_dim;
            const float factor = 1.0f / sum[q * group + h];
            for (int64_t i = 0; i < head_dim; i++) to[i] = from[i] * factor;
        }
    }
}
