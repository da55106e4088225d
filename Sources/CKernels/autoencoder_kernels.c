#include "autoencoder_kernels.h"

#include "lanes.h"
#include "row_elements.h"

#include <math.h>
#include <string.h>

CLONES float rsae_dot(const float *a, const float *b, int64_t d) {
    lanes s0 = {0}, s1 = {0}, s2 = {0}, s3 = {0};
    int64_t i = 0;
    for (; i + 64 <= d; i += 64) {
        s0 += LOAD(a + i) * LOAD(b + i);
        s1 += LOAD(a + i + 16) * LOAD(b + i + 16);
        s2 += LOAD(a + i + 32) * LOAD(b + i + 32);
        s3 += LOAD(a + i + 48) * LOAD(b + i + 48);
    }
    for (; i + 16 <= d; i += 16) s0 += LOAD(a + i) * LOAD(b + i);
    s0 = (s0 + s1) + (s2 + s3);
    float sum = SUM(s0);
    for (; i < d; i++) sum += a[i] * b[i];
    return sum;
}

CLONES float rsae_sum(const float *x, int64_t d) {
    lanes s = {0};
    int64_t i = 0;
    for (; i + 16 <= d; i += 16) s += LOAD(x + i);
    float sum = SUM(s);
    for (; i < d; i++) sum += x[i];
    return sum;
}

CLONES void rsae_add_scaled(float *y, float alpha, const float *x, int64_t d) {
    for (int64_t i = 0; i < d; i++) y[i] += alpha * x[i];
}

CLONES int rsae_all_finite(const float *x, int64_t n) {
    // Exponent bits all set means infinity or NaN; compared as integers so that no fast-math option can undo it.
    uint32_t bad = 0;
    for (int64_t i = 0; i < n; i++) {
        uint32_t bits;
        memcpy(&bits, x + i, 4);
        bad |= (uint32_t)((bits & 0x7f800000u) == 0x7f800000u);
    }
    return bad == 0;
}

CLONES void rsae_standardise(const float *x, int64_t d, float epsilon, float *out, float *mean, float *std) {
    lanes s = {0};
    int64_t i = 0;
    for (; i + 16 <= d; i += 16) s += LOAD(x + i);
    float sum = SUM(s);
    for (; i < d; i++) sum += x[i];
    const float mu = sum / (float)d;
    lanes q = {0};
    for (i = 0; i + 16 <= d; i += 16) {
        const lanes c = LOAD(x + i) - mu;
        q += c * c;
    }
    float squares = SUM(q);
    for (; i < d; i++) squares += (x[i] - mu) * (x[i] - mu);
    const float sigma = sqrtf(squares / (float)(d - 1));
    const float divisor = sigma + epsilon;
    for (i = 0; i < d; i++) out[i] = (x[i] - mu) / divisor;
    *mean = mu;
    *std = sigma;
}

// Columns c … c + 127 of a weighted sum of rows, in registers; rows ahead are asked for while others are added.
INLINE void gather128(const void *rows, const int halved, int64_t d, int64_t c, const int32_t *index,
                      const float *weight, int64_t k, float *out) {
    lanes s[8] = {{0}};
    for (int64_t i = 0; i < k; i++) {
        const void *next = element(rows, (int64_t)index[i + 6 < k ? i + 6 : k - 1] * d + c, halved);
        for (int line = 0; line < (halved ? 4 : 8); line++) __builtin_prefetch((const char *)next + 64 * line);
        const void *r = element(rows, (int64_t)index[i] * d + c, halved);
        const float w = weight[i];
        _Pragma("clang loop unroll(full)") for (int v = 0; v < 8; v++) s[v] += w * NUMBERS(r, 16 * v, halved);
    }
    _Pragma("clang loop unroll(full)") for (int v = 0; v < 8; v++) STORE(out + c + 16 * v, s[v]);
}

// Columns c … c + 15 of the same.
INLINE void gather16(const void *rows, const int halved, int64_t d, int64_t c, const int32_t *index,
                     const float *weight, int64_t k, float *out) {
    lanes s0 = {0}, s1 = {0};
    int64_t i = 0;
    for (; i + 2 <= k; i += 2) {
        s0 += weight[i] * NUMBERS(rows, (int64_t)index[i] * d + c, halved);
        s1 += weight[i + 1] * NUMBERS(rows, (int64_t)index[i + 1] * d + c, halved);
    }
    if (i < k) s0 += weight[i] * NUMBERS(rows, (int64_t)index[i] * d + c, halved);
    STORE(out + c, s0 + s1);
}

// From how many columns on rows are read from their beginning to their end, four side by side, with the sums in the
// first-level cache: memory delivers long runs faster than pieces of many rows.
#define LONG_ROW 512

// The first `width` columns of a weighted sum of long rows: the sums of gather128.
INLINE void gather_rows(const void *rows, const int halved, int64_t d, int64_t width, const int32_t *index,
                        const float *weight, int64_t k, float *out) {
    for (int64_t c = 0; c < width; c += 16) STORE(out + c, (lanes){0});
    for (int64_t i = 0; i < k; i += 4) {
        const void *r[4], *next[4];
        lanes w[4];
        const int64_t count = k - i < 4 ? k - i : 4;
        _Pragma("clang loop unroll(full)") for (int j = 0; j < 4; j++) {
            r[j] = element(rows, (int64_t)index[j < count ? i + j : i] * d, halved);
            next[j] = element(rows, (int64_t)index[i + 4 + j < k ? i + 4 + j : i] * d, halved);
            w[j] = (lanes){0} + (j < count ? weight[i + j] : 0);
        }
        if (count == 4) {
            for (int64_t c = 0; c < width; c += 16) {
                lanes s = LOAD(out + c);
                _Pragma("clang loop unroll(full)") for (int j = 0; j < 4; j++) {
                    if (!halved || c % 32 == 0) __builtin_prefetch(element(next[j], c, halved), 0, 2);
                    s += w[j] * NUMBERS(r[j], c, halved);
                }
                STORE(out + c, s);
            }
        } else {
            for (int64_t j = 0; j < count; j++) {
                for (int64_t c = 0; c < width; c += 16) STORE(out + c, LOAD(out + c) + w[j] * NUMBERS(r[j], c, halved));
            }
        }
    }
}

INLINE void gather(const void *rows, const int halved, int64_t d, const int32_t *index, const float *weight, int64_t k,
                   float *out) {
    int64_t c = 0;
    if (d >= LONG_ROW) {
        c = d / 128 * 128;
        gather_rows(rows, halved, d, c, index, weight, k, out);
    }
    for (; c + 128 <= d; c += 128) gather128(rows, halved, d, c, index, weight, k, out);
    for (; c + 16 <= d; c += 16) gather16(rows, halved, d, c, index, weight, k, out);
    for (; c < d; c++) {
        float sum = 0;
        for (int64_t i = 0; i < k; i++) sum += weight[i] * number(rows, (int64_t)index[i] * d + c, halved);
        out[c] = sum;
    }
}

CLONES void rsae_gather(const float *rows, int64_t d, const int32_t *index, const float *weight, int64_t k,
                        float *out) {
    gather(rows, 0, d, index, weight, k, out);
}

// Subtracts what a sample has to become from what was decoded, and returns the squared norm.
INLINE float subtract(const float *centered, int64_t d, float *out) {
    lanes s = {0};
    int64_t c = 0;
    for (; c + 16 <= d; c += 16) {
        const lanes e = LOAD(out + c) - LOAD(centered + c);
        STORE(out + c, e);
        s += e * e;
    }
    float sum = SUM(s);
    for (; c < d; c++) {
        out[c] -= centered[c];
        sum += out[c] * out[c];
    }
    return sum;
}

CLONES float rsae_decode_error(const float *decoder, int64_t d, const int32_t *index, const float *activation,
                               int64_t k, const float *centered, float *out) {
    gather(decoder, 0, d, index, activation, k, out);
    return subtract(centered, d, out);
}

CLONES float rsae_decode_error_bf16(const uint16_t *decoder, int64_t d, const int32_t *index, const float *activation,
                                    int64_t k, const float *centered, float *out) {
    gather(decoder, 1, d, index, activation, k, out);
    return subtract(centered, d, out);
}

// The products of `count` rows, 4 or 8, each a sum of its own.
INLINE void dots(const int count, const void *rows, const int halved, int64_t d, const int32_t *index,
                 const float *vector, float *out) {
    const void *r[8];
    lanes s[8] = {{0}};
    _Pragma("clang loop unroll(full)") for (int i = 0; i < count; i++) {
        r[i] = element(rows, (int64_t)index[i] * d, halved);
    }
    int64_t c = 0;
    for (; c + 16 <= d; c += 16) {
        const lanes v = LOAD(vector + c);
        _Pragma("clang loop unroll(full)") for (int i = 0; i < count; i++) s[i] += v * NUMBERS(r[i], c, halved);
    }
    float sum[8];
    sum_each(s, sum);
    for (; c < d; c++) {
        _Pragma("clang loop unroll(full)") for (int i = 0; i < count; i++) sum[i] += vector[c] * number(r[i], c, halved);
    }
    _Pragma("clang loop unroll(full)") for (int i = 0; i < count; i++) out[i] = sum[i];
}

CLONES void rsae_row_dots(const float *rows, int64_t d, const int32_t *index, int64_t k, const float *vector,
                          float *out) {
    int64_t i = 0;
    for (; i + 8 <= k; i += 8) dots(8, rows, 0, d, index + i, vector, out + i);
    for (; i + 4 <= k; i += 4) dots(4, rows, 0, d, index + i, vector, out + i);
    for (; i < k; i++) out[i] = rsae_dot(rows + (int64_t)index[i] * d, vector, d);
}

CLONES void rsae_row_dots_bf16(const uint16_t *rows, int64_t d, const int32_t *index, int64_t k, const float *vector,
                               float *out) {
    int64_t i = 0;
    for (; i + 8 <= k; i += 8) dots(8, rows, 1, d, index + i, vector, out + i);
    for (; i < k; i++) dots(1, rows, 1, d, index + i, vector, out + i);
}

// One Adam step of n parameters; inlined so that a gradient still in registers or the first-level cache is used there.
INLINE void adam(float *restrict p, float *restrict m, float *restrict v, const float *restrict g, int64_t n,
                 rsae_adam a) {
    const float b1 = a.beta1, b2 = a.beta2, c1 = 1 - b1, c2 = 1 - b2;
    const float step = a.rate / a.correction1;
    for (int64_t i = 0; i < n; i++) {
        const float gradient = a.scale * g[i];
        const float m1 = b1 * m[i] + c1 * gradient;
        const float v1 = b2 * v[i] + c2 * gradient * gradient;
        m[i] = m1;
        v[i] = v1;
        // Not sqrtf, which may set errno and so keeps the loop from being vectorised.
        p[i] -= step * m1 / (__builtin_elementwise_sqrt(v1) / a.root_correction2 + a.epsilon);
    }
}

CLONES void rsae_adam_step(float *parameter, float *first, float *second, const float *gradient, int64_t n,
                           rsae_adam a) {
    adam(parameter, first, second, gradient, n, a);
}

// Where columns from `c` on of sample 0 begin: 64 columns of a sample lie side by side.
INLINE const void *columns_from(const void *values, rsae_samples x, int64_t c) {
    return element(values, c / 64 * x.block + c % 64, x.halved);
}

// Sums of 64 columns of two matrices over the entries of one latent, held in registers.
INLINE void sums64(float *restrict to_encoder, float *restrict to_decoder, const int32_t *token,
                   const float *activation, const float *slope, int64_t entries, const void *error,
                   const void *centered, int64_t stride, const int halved) {
    lanes e[4] = {{0}}, d[4] = {{0}};
    for (int64_t i = 0; i < entries; i++) {
        const float z = activation[i], s = slope[i];
        const void *g = element(error, (int64_t)token[i] * stride, halved);
        const void *c = element(centered, (int64_t)token[i] * stride, halved);
        _Pragma("clang loop unroll(full)") for (int v = 0; v < 4; v++) d[v] += z * NUMBERS(g, 16 * v, halved);
        _Pragma("clang loop unroll(full)") for (int v = 0; v < 4; v++) e[v] += s * NUMBERS(c, 16 * v, halved);
    }
    _Pragma("clang loop unroll(full)") for (int v = 0; v < 4; v++) {
        STORE(to_encoder + 16 * v, e[v]);
        STORE(to_decoder + 16 * v, d[v]);
    }
}

// Sums of `width` columns: both gradients of one latent.
INLINE void gradients(float *restrict d_encoder, float *restrict d_decoder, int64_t width, const int32_t *token,
                      const float *activation, const float *slope, int64_t entries, rsae_samples x, const int halved) {
    int64_t c = 0;
    for (; c + 64 <= width; c += 64)
        sums64(d_encoder + c, d_decoder + c, token, activation, slope, entries, columns_from(x.error, x, c),
               columns_from(x.centered, x, c), x.stride, halved);
    for (; c < width; c++) {
        const void *g = columns_from(x.error, x, c), *u = columns_from(x.centered, x, c);
        float e = 0, d = 0;
        for (int64_t i = 0; i < entries; i++) {
            d += activation[i] * number(g, (int64_t)token[i] * x.stride, halved);
            e += slope[i] * number(u, (int64_t)token[i] * x.stride, halved);
        }
        d_encoder[c] = e;
        d_decoder[c] = d;
    }
}

CLONES void rsae_latent_gradient(float *d_encoder, float *d_decoder, int64_t width, const int32_t *token,
                                 const float *activation, const float *slope, int64_t entries, rsae_samples x) {
    if (x.halved) gradients(d_encoder, d_decoder, width, token, activation, slope, entries, x, 1);
    else gradients(d_encoder, d_decoder, width, token, activation, slope, entries, x, 0);
}

CLONES void rsae_update_latent(rsae_latent_rows rows, int64_t width, const int32_t *token, const float *activation,
                               const float *slope, int64_t entries, rsae_samples x, float parallel, rsae_adam a) {
    // To the second-level cache, while the sums are made: short runs far apart, which the processor does not foresee.
    float *const ahead[6] = {rows.encoder, rows.encoder_first, rows.encoder_second,
                             rows.decoder, rows.decoder_first, rows.decoder_second};
    if (rows.ahead)
        for (int i = 0; i < 6; i++)
            for (int64_t c = 0; c < width; c += 16) __builtin_prefetch(ahead[i] + rows.ahead + c, 1, 2);
    float d_encoder[RSAE_COLUMNS], d_decoder[RSAE_COLUMNS];
    if (x.halved) gradients(d_encoder, d_decoder, width, token, activation, slope, entries, x, 1);
    else gradients(d_encoder, d_decoder, width, token, activation, slope, entries, x, 0);
    if (rows.gradient_encoder)
        for (int64_t c = 0; c < width; c++) d_encoder[c] += rows.gradient_encoder[c];
    if (rows.gradient_decoder)
        for (int64_t c = 0; c < width; c++) d_decoder[c] += rows.gradient_decoder[c];
    if (parallel != 0)
        for (int64_t c = 0; c < width; c++) d_decoder[c] += parallel * rows.decoder[c];
    adam(rows.encoder, rows.encoder_first, rows.encoder_second, d_encoder, width, a);
    adam(rows.decoder, rows.decoder_first, rows.decoder_second, d_decoder, width, a);
}

// Copies rows into blocks of 64 columns, rounded to bf16 if `halved`.
INLINE void pack_blocks(const float *row, int64_t width, int64_t sample, int64_t place, rsae_samples x,
                        const int halved) {
    for (int64_t first = 0; first < width; first += 64) {
        const int64_t count = width - first < 64 ? width - first : 64;
        void *to = (void *)element(place ? x.centered : x.error, first / 64 * x.block + sample * x.stride, halved);
        const float *from = row + first;
        if (halved) for (int64_t c = 0; c < count; c++) ((uint16_t *)to)[c] = rsae_bf16(from[c]);
        else memcpy(to, from, (size_t)count * sizeof(float));
    }
}

CLONES void rsae_pack_samples(const float *error, const float *centered, int64_t width, int64_t first, int64_t count,
                              rsae_samples x) {
    for (int64_t sample = first; sample < first + count; sample++) {
        for (int64_t place = 0; place < 2; place++) {
            const float *row = (place ? centered : error) + sample * width;
            if (x.halved) pack_blocks(row, width, sample, place, x, 1);
            else pack_blocks(row, width, sample, place, x, 0);
        }
    }
}

CLONES void rsae_column_sums(const float *rows, int64_t count, int64_t stride, int64_t width, float *sum,
                             float *squares) {
    memset(sum, 0, (size_t)width * sizeof(float));
    memset(squares, 0, (size_t)width * sizeof(float));
    for (int64_t r = 0; r < count; r++) {
        const float *row = rows + r * stride;
        for (int64_t c = 0; c < width; c++) {
            sum[c] += row[c];
            squares[c] += row[c] * row[c];
        }
    }
}
