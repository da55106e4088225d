// Kernels of the sparse autoencoders. All arrays are fp32, row-major and need no alignment; `d` is the width of the
// residual stream, `m` the number of latents, `k` the number of active latents of a token.
#ifndef AUTOENCODER_KERNELS_H
#define AUTOENCODER_KERNELS_H

#include <stdint.h>

// Standardises one activation: out = (x - mean) / (std + epsilon), std with d - 1 in the denominator. Writes the mean
// and the std itself, without the epsilon. `out` may be `x`.
void rsae_standardise(const float *x, int64_t d, float epsilon, float *out, float *mean, float *std);

// Sum over the d elements of a * b, in a fixed order.
float rsae_dot(const float *a, const float *b, int64_t d);

// Sum over the d elements of x, in a fixed order.
float rsae_sum(const float *x, int64_t d);

// y += alpha * x.
void rsae_add_scaled(float *y, float alpha, const float *x, int64_t d);

// 1 if all n values are finite, else 0.
int rsae_all_finite(const float *x, int64_t n);

// The k largest of values[j] + bias[j], j in 0..<m; equal values go to the lower index. Indices come out ascending.
// Returns the k-th largest. `guess` is a number below which few of the k are believed to lie, such as something less than
// what the call for the token before returned: a good one saves most of the time and a bad one costs some, but none
// changes the result; -INFINITY is no guess. `scratch` holds 3 * (m + 16) floats. If a sum is NaN, all k results are
// index 0 and NaN, so that the loss shows it.
float rsae_top_k(const float *values, const float *bias, int64_t m, int64_t k, float guess, int32_t *index,
                 float *activation, float *scratch);

// The largest of values[j] + bias[j] in each of k equal runs of the m latents, in order; of equal ones the first. A NaN
// is the largest of its run. m is a multiple of k.
void rsae_group_max(const float *values, const float *bias, int64_t m, int64_t k, int32_t *index, float *activation);

// out = sum_i activation[i] * decoder[index[i]] - centered, the reconstruction error of one token [d].
// Returns the squared norm of out.
float rsae_decode_error(const float *decoder, int64_t d, const int32_t *index, const float *activation, int64_t k,
                        const float *centered, float *out);

// The same with rows of bf16.
float rsae_decode_error_bf16(const uint16_t *decoder, int64_t d, const int32_t *index, const float *activation,
                             int64_t k, const float *centered, float *out);

// out = sum_i weight[i] * rows[index[i]] [d].
void rsae_gather(const float *rows, int64_t d, const int32_t *index, const float *weight, int64_t k, float *out);

// out[i] = <rows[index[i]], vector>, i in 0..<k.
void rsae_row_dots(const float *rows, int64_t d, const int32_t *index, int64_t k, const float *vector, float *out);
// The same with rows of bf16.
void rsae_row_dots_bf16(const uint16_t *rows, int64_t d, const int32_t *index, int64_t k, const float *vector,
                        float *out);

// Activation functions over the m latents of one sample, from the encoder's product without any bias.
// out = max(0, product + bias).
void rsae_relu(const float *product, const float *bias, int64_t m, float *out);
// out = max(0, magnitude * product + magnitude_bias) where product + gate_bias > 0, else 0.
void rsae_gated(const float *product, const float *gate_bias, const float *magnitude, const float *magnitude_bias,
                int64_t m, float *out);
// out = product + bias where that is above the threshold, else 0.
void rsae_jump_relu(const float *product, const float *bias, const float *threshold, int64_t m, float *out);

// The latents of one sample whose product + bias is above the bound, or NaN: their indices, ascending, and their products.
// Returns how many there are. Both outputs have room for m.
int64_t rsae_above(const float *product, const float *bias, const float *bound, int64_t m, int32_t *index,
                   float *value);

// The way back through them for one sample: `slope` comes in as <dL/d reconstruction, decoder row j> and goes out as
// dL/d product; the other arrays are sums over samples, added to.
// dL/dz = slope + price where z is not 0.
void rsae_relu_slopes(const float *z, const float *price, int64_t m, float *slope, float *fired, float *size,
                      float *bias);
// `gate_slope` is the slope of the auxiliary reconstruction from the gate (arXiv 2404.16014, eq. 8), to which the price
// of the open gate is added; NULL for the reference, whose gate has no gradient.
void rsae_gated_slopes(const float *product, const float *z, const float *gate_bias, const float *magnitude,
                       const float *gate_slope, float price, int64_t m, float *slope, float *fired, float *size,
                       float *d_gate, float *d_magnitude_bias, float *d_scale);
// Straight-through to the threshold by a rectangle kernel (arXiv 2407.14435, eq. 11 and 12); `d_threshold` is the
// gradient of log theta, or of theta for the reference, which measures the kernel of its L0 at z instead of a.
void rsae_jump_slopes(const float *product, const float *bias, const float *threshold, float inverse_bandwidth,
                      float price, int reference, int64_t m, float *slope, float *fired, float *size, float *d_bias,
                      float *d_threshold);

// Settings of one Adam step (Kingma & Ba 2015, arXiv 1412.6980, algorithm 1, as PyTorch orders the operations).
typedef struct {
    float rate;            // learning rate of this step
    float beta1;           // decay of the first moment
    float beta2;           // decay of the second moment
    float epsilon;         // added to the root of the second moment
    float correction1;     // 1 - beta1^t
    float root_correction2; // sqrt(1 - beta2^t)
    float scale;           // the gradient is multiplied by this first
} rsae_adam;

// One Adam step over n parameters with the given gradient.
void rsae_adam_step(float *parameter, float *first, float *second, const float *gradient, int64_t n, rsae_adam adam);

// The rows of the samples that weight gradients are sums of: error and centered, from a column on that the pointers of a
// latent's rows point at too. Row-major, or packed: for every 64 columns the rows of all samples one after another, each
// sample's error and centered side by side, so that a block of columns lies in one piece.
typedef struct {
    const void *error, *centered; // of sample 0
    int64_t stride;               // numbers from one sample to the next
    int64_t block;                // numbers from 64 columns to the next 64: 64 if they are row-major
    int halved;                   // whether they are bf16, else f32
} rsae_samples;

// Packs rows of error and centered [samples x width] from sample `first` on, rounded to bf16 if `halved`, into the memory
// that `samples`, whose strides are set, points at.
void rsae_pack_samples(const float *error, const float *centered, int64_t width, int64_t first, int64_t count,
                       rsae_samples samples);

// The gradients of one latent's encoder and decoder row over a range of columns, followed at once by their Adam steps:
//   d_decoder = sum_e activation[e] * error[token[e]] + gradient_decoder + parallel * decoder
//   d_encoder = sum_e slope[e] * centered[token[e]] + gradient_encoder
// The pointers of the six weight rows point at column `from` of their row, as those of `samples` do. `width` is at most
// RSAE_COLUMNS.
#define RSAE_COLUMNS 128
typedef struct {
    float *encoder, *encoder_first, *encoder_second;
    float *decoder, *decoder_first, *decoder_second;
    const float *gradient_encoder; // a further gradient to add, or NULL
    const float *gradient_decoder; // likewise
    int64_t ahead;                 // floats from the six rows to those of the next call, which are fetched; or 0
} rsae_latent_rows;
void rsae_update_latent(rsae_latent_rows rows, int64_t width, const int32_t *token, const float *activation,
                        const float *slope, int64_t entries, rsae_samples samples, float parallel, rsae_adam adam);

// The same gradients without the update, added to nothing: written to the two output rows.
void rsae_latent_gradient(float *d_encoder, float *d_decoder, int64_t width, const int32_t *token,
                          const float *activation, const float *slope, int64_t entries, rsae_samples samples);

// Sums and sums of squares of `width` columns over `count` rows, in row order.
void rsae_column_sums(const float *rows, int64_t count, int64_t stride, int64_t width, float *sum, float *squares);

#endif
