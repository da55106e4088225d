// Kernels of the decoder's forward pass: everything in a layer that is not a matrix product. All arrays
// are fp32, row-major and need no alignment; a `stride` counts floats from one row to the next. Each row is computed by
// itself and in a fixed order, so the bits do not depend on how the rows are shared out.
#ifndef TRANSFORMER_KERNELS_H
#define TRANSFORMER_KERNELS_H

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

// SwiGLU (Shazeer 2020, arXiv 2002.05202) in place, on rows that hold a gate and then a value, `width` floats each:
//   gate[i] = gate[i] / (1 + exp(-gate[i])) * value[i]
void rsae_swiglu(float *rows, int64_t stride, int64_t count, int64_t width);

// The numerators of a causal softmax, in place. `scores` has `queries * group` rows: the `group` heads of a query lie
// next to each other. Query q (counted from 0) sees the columns max(0, first + q - window + 1) ... first + q, of
// `columns`; what it sees becomes exp(score - largest), everything else in `columns` becomes 0. The reciprocal of each
// row's sum goes to `inverse_sum`. `stride` is a multiple of 16 and at least `columns`; what lies beyond `columns` is
// overwritten. A query must see at least one column.
void rsae_causal_softmax(float *scores, int64_t stride, int64_t queries, int64_t group, int64_t columns, int64_t first,
                         int64_t window, float *inverse_sum);

// out[q][h * head_dim + i] = tile[(q * group + h) * head_dim + i] * scale[q * group + h]: the heads of a query, each
// with a factor of its own, written side by side into row q of `out`.
void rsae_scale_heads(const float *tile, int64_t queries, int64_t group, int64_t head_dim, const float *scale,
                      float *out, int64_t out_stride);

// log(sum of exp(x[i])) of n > 0 finite floats, natural, in double.
double rsae_log_sum_exp(const float *x, int64_t n);

// The Kullback-Leibler divergence KL(p || q) in nats of the distributions softmax(a) and softmax(b) over n > 0 entries,
// given their rsae_log_sum_exp: sum of p[i] * (a[i] - b[i]), less log_a, plus log_b. Exactly 0 for equal logits.
double rsae_divergence(const float *a, const float *b, int64_t n, double log_a, double log_b);

// The index of the first infinity or NaN among n floats, or -1.
int64_t rsae_first_non_finite(const float *x, int64_t n);

#endif
