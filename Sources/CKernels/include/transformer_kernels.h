// Kernels of the decoder's forward pass: everything in a layer that is not a matrix product. All arrays
// are fp32, row-major and need no alignment; a `stride` counts floats from one row to the next. Each row is computed by
// itself and in a fixed order, so the bits do not depend on how the rows are shared out.
#ifndef TRANSFORMER_KERNELS_H
#define TRANSFORMER_KERNELS_H

#include <stdbool.h>
#include <stdint.h>

// out[i] = exp(x[i]), relative error at most 1e-7. Below -87.33 it stays at exp(-87.33), about 1e-38, and above 88.37
// at exp(88.37), about 2e38; a NaN stays a NaN. `out` may be `x`.
void rsae_exp(const float *x, float *out, int64_t n);

// Root mean square normalisation (Zhang & Sennrich 2019, arXiv 1910.07467) of `rows` rows of d floats:
//   out[r] = weight * x[r] / sqrt(mean_i x[r][i]^2 + epsilon)
// `out` may be `x` if the strides are equal.
void rsae_rms_norm(const float *x, int64_t stride, int64_t rows, int64_t d, const float *weight, float epsilon,
                   float *out, int64_t out_stride);

// Layer normalisation (Ba et al. 2016, arXiv 1607.06450) of `rows` rows of d floats:
//   out[r] = (x[r] - mean_i x[r][i]) / sqrt(var_i x[r][i] + epsilon) * weight + bias
// `weight` may be NULL if `bias` is, and `bias` alone. `out` may be `x` if the strides are equal.
void rsae_layer_norm(const float *x, int64_t stride, int64_t rows, int64_t d, const float *weight, const float *bias,
                     float epsilon, float *out, int64_t out_stride);

// rows[r][i] += bias[i], i in 0..<width.
void rsae_add_bias(float *rows, int64_t stride, int64_t count, int64_t width, const float *bias);

// rows[r][i] += scale * x[r][i], i in 0..<width.
void rsae_add_scaled_rows(float *rows, int64_t stride, int64_t count, int64_t width, const float *x, int64_t x_stride,
                     float scale);

// rows[r][i] *= x[r][i], i in 0..<width.
void rsae_multiply_rows(float *rows, int64_t stride, int64_t count, int64_t width, const float *x, int64_t x_stride);

// Rotary position embedding (Su et al. 2021, arXiv 2104.09864) in place, on `heads` heads of `head_dim` floats that lie
// side by side in each of `count` rows. Of each head the first `rotated` floats are turned, an even number, 0 for none;
// the pair of element i is element i + rotated / 2 (the order of Hugging Face checkpoints). Row r takes row row[r] of the
// tables `cosine` and `sine`, [rows x rotated / 2].
// If `norm` is not NULL, each head is first normalised as by rsae_rms_norm with that weight [head_dim].
void rsae_rotate(float *rows, int64_t stride, int64_t count, int64_t heads, int64_t head_dim, int64_t rotated,
                 const float *norm, float epsilon, const int32_t *row, const float *cosine, const float *sine);

// The functions of feed-forward layers.
enum {
    RSAE_SILU,       // x / (1 + exp(-x))
    RSAE_GELU,       // x * Phi(x), Phi the distribution function of the standard normal distribution
    RSAE_GELU_TANH,  // 0.5 * x * (1 + tanh(sqrt(2 / pi) * (x + 0.044715 * x^3)))
    RSAE_RELU        // max(x, 0)
};

// One of these functions of rows[r][i], i in 0..<width, in place.
void rsae_activate(float *rows, int64_t stride, int64_t count, int64_t width, int32_t activation);

// rows[r][i] = cap * tanh(rows[r][i] / cap), i in 0..<width (soft-capping; Gemma 2, arXiv 2408.00118, section 2).
void rsae_soft_cap(float *rows, int64_t stride, int64_t count, int64_t width, float cap);

// SwiGLU (Shazeer 2020, arXiv 2002.05202) in place, on rows of gates and rows of values, `stride` floats apart:
//   gate[i] = gate[i] / (1 + exp(-gate[i])) * value[i], i in 0..<width
void rsae_swiglu(float *gates, int64_t stride, int64_t count, int64_t width, const float *values);

// One block of keys of a causal softmax, whose largest score and sum run along from block to block (Milakov and
// Gimelshein 2018, arXiv 1805.02867, algorithm 3; Dao et al. 2022, arXiv 2205.14135), so that the scores of all keys never
// lie side by side. `scores` has `queries * group` rows: the `group` heads of a query lie next to each other. Query q
// (counted from 0) sees the keys first + q - window + 1 ... first + q, counted from the block's first key, of which this
// block has 0 ..< `columns`; what it sees becomes exp(score - largest so far), everything else in `columns` becomes 0.
// `largest` and `sum` [rows] are those of all blocks so far. Where a larger score appears, the sum and the row of `mixed`
// [rows x head_dim], to which earlier blocks have added their values, are multiplied by exp(before - largest). In the
// first block nothing is read of these three; `largest` and `sum` are set. A block that a query does not see changes no
// bit of its rows. `stride` is a multiple of 16 and at least `columns`; what lies beyond `columns` is overwritten.
void rsae_causal_softmax(float *scores, int64_t stride, int64_t queries, int64_t group, int64_t columns, int64_t first,
                         int64_t window, bool is_first, float *largest, float *sum, float *mixed, int64_t head_dim);

// out[q][h * head_dim + i] = tile[(q * group + h) * head_dim + i] / sum[q * group + h] (by the reciprocal): the heads of a
// query, each divided by a sum of its own, written side by side into row q of `out`.
void rsae_divide_heads(const float *tile, int64_t queries, int64_t group, int64_t head_dim, const float *sum,
                       float *out, int64_t out_stride);

// log(sum of exp(x[i])) of n > 0 finite floats, natural, in double.
double rsae_log_sum_exp(const float *x, int64_t n);

// The Kullback-Leibler divergence KL(p || q) in nats of the distributions softmax(a) and softmax(b) over n > 0 entries,
// given their rsae_log_sum_exp: sum of p[i] * (a[i] - b[i]), less log_a, plus log_b. Exactly 0 for equal logits.
double rsae_divergence(const float *a, const float *b, int64_t n, double log_a, double log_b);

// The index of the first infinity or NaN among n floats, or -1.
int64_t rsae_first_non_finite(const float *x, int64_t n);

#endif
