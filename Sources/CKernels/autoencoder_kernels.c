#include "autoencoder_kernels.h"
#include "lanes.h"

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
INLINE void gather128(const float *rows, int64_t d, int64_t c, const int32_t *index, const float *weight, int64_t k,
                      float *out) {
    lanes s0 = {0}, s1 = {0}, s2 = {0}, s3 = {0}, s4 = {0}, s5 = {0}, s6 = {0}, s7 = {0};
    for (int64_t i = 0; i < k; i++) {
        const float *next = rows + (int64_t)index[i + 6 < k ? i + 6 : k - 1] * d + c;
        for (int line = 0; line < 8; line++) __builtin_prefetch(next + 16 * line);
        const float *r = rows + (int64_t)index[i] * d + c;
        const float w = weight[i];
        s0 += w * LOAD(r);
        s1 += w * LOAD(r + 16);
        s2 += w * LOAD(r + 32);
        s3 += w * LOAD(r + 48);
        s4 += w * LOAD(r + 64);
        s5 += w * LOAD(r + 80);
        s6 += w * LOAD(r + 96);
        s7 += w * LOAD(r + 112);
    }
    STORE(out + c, s0);
    STORE(out + c + 16, s1);
    STORE(out + c + 32, s2);
    STORE(out + c + 48, s3);
    STORE(out + c + 64, s4);
    STORE(out + c + 80, s5);
    STORE(out + c + 96, s6);
    STORE(out + c + 112, s7);
}

// Columns c … c + 15 of the same.
INLINE void gather16(const float *rows, int64_t d, int64_t c, const int32_t *index, const float *weight, int64_t k,
                     float *out) {
    lanes s0 = {0}, s1 = {0};
    int64_t i = 0;
    for (; i + 2 <= k; i += 2) {
        s0 += weight[i] * LOAD(rows + (int64_t)index[i] * d + c);
        s1 += weight[i + 1] * LOAD(rows + (int64_t)index[i + 1] * d + c);
    }
    if (i < k) s0 += weight[i] * LOAD(rows + (int64_t)index[i] * d + c);
    STORE(out + c, s0 + s1);
}

CLONES void rsae_gather(const float *rows, int64_t d, const int32_t *index, const float *weight, int64_t k,
                        float *out) {
    int64_t c = 0;
    for (; c + 128 <= d; c += 128) gather128(rows, d, c, index, weight, k, out);
    for (; c + 16 <= d; c += 16) gather16(rows, d, c, index, weight, k, out);
    for (; c < d; c++) {
        float sum = 0;
        for (int64_t i = 0; i < k; i++) sum += weight[i] * rows[(int64_t)index[i] * d + c];
        out[c] = sum;
    }
}

CLONES float rsae_decode_error(const float *decoder, int64_t d, const int32_t *index, const float *activation,
                               int64_t k, const float *centered, float *out) {
    rsae_gather(decoder, d, index, activation, k, out);
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

CLONES void rsae_row_dots(const float *rows, int64_t d, const int32_t *index, int64_t k, const float *vector,
                          float *out) {
    int64_t i = 0;
    for (; i + 4 <= k; i += 4) {
        const float *r0 = rows + (int64_t)index[i] * d, *r1 = rows + (int64_t)index[i + 1] * d;
        const float *r2 = rows + (int64_t)index[i + 2] * d, *r3 = rows + (int64_t)index[i + 3] * d;
        lanes s0 = {0}, s1 = {0}, s2 = {0}, s3 = {0};
        int64_t c = 0;
        for (; c + 16 <= d; c += 16) {
            const lanes v = LOAD(vector + c);
            s0 += v * LOAD(r0 + c);
            s1 += v * LOAD(r1 + c);
            s2 += v * LOAD(r2 + c);
            s3 += v * LOAD(r3 + c);
        }
        float t0 = SUM(s0), t1 = SUM(s1), t2 = SUM(s2), t3 = SUM(s3);
        for (; c < d; c++) {
            t0 += vector[c] * r0[c];
            t1 += vector[c] * r1[c];
            t2 += vector[c] * r2[c];
            t3 += vector[c] * r3[c];
        }
        out[i] = t0;
        out[i + 1] = t1;
        out[i + 2] = t2;
        out[i + 3] = t3;
    }
    for (; i < k; i++) out[i] = rsae_dot(rows + (int64_t)index[i] * d, vector, d);
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

// Sums of 64 columns of two matrices over the entries of one latent, held in registers.
INLINE void sums64(float *restrict to_encoder, float *restrict to_decoder, const int32_t *token,
                   const float *activation, const float *slope, int64_t entries, const float *error,
                   const float *centered, int64_t stride) {
    lanes e0 = {0}, e1 = {0}, e2 = {0}, e3 = {0}, d0 = {0}, d1 = {0}, d2 = {0}, d3 = {0};
    for (int64_t i = 0; i < entries; i++) {
        const float z = activation[i], s = slope[i];
        const float *g = error + (int64_t)token[i] * stride, *c = centered + (int64_t)token[i] * stride;
        d0 += z * LOAD(g);
        d1 += z * LOAD(g + 16);
        d2 += z * LOAD(g + 32);
        d3 += z * LOAD(g + 48);
        e0 += s * LOAD(c);
        e1 += s * LOAD(c + 16);
        e2 += s * LOAD(c + 32);
        e3 += s * LOAD(c + 48);
    }
    STORE(to_encoder, e0);
    STORE(to_encoder + 16, e1);
    STORE(to_encoder + 32, e2);
    STORE(to_encoder + 48, e3);
    STORE(to_decoder, d0);
    STORE(to_decoder + 16, d1);
    STORE(to_decoder + 32, d2);
    STORE(to_decoder + 48, d3);
}

// Sums of `width` columns: both gradients of one latent.
INLINE void gradients(float *restrict d_encoder, float *restrict d_decoder, int64_t width, const int32_t *token,
                      const float *activation, const float *slope, int64_t entries, const float *error,
                      const float *centered, int64_t stride) {
    int64_t c = 0;
    for (; c + 64 <= width; c += 64)
        sums64(d_encoder + c, d_decoder + c, token, activation, slope, entries, error + c, centered + c, stride);
    for (; c < width; c++) {
        float e = 0, d = 0;
        for (int64_t i = 0; i < entries; i++) {
            d += activation[i] * error[(int64_t)token[i] * stride + c];
            e += slope[i] * centered[(int64_t)token[i] * stride + c];
        }
        d_encoder[c] = e;
        d_decoder[c] = d;
    }
}

CLONES void rsae_latent_gradient(float *d_encoder, float *d_decoder, int64_t width, const int32_t *token,
                                 const float *activation, const float *slope, int64_t entries, const float *error,
                                 const float *centered, int64_t stride) {
    gradients(d_encoder, d_decoder, width, token, activation, slope, entries, error, centered, stride);
}

CLONES void rsae_update_latent(rsae_latent_rows rows, int64_t width, const int32_t *token, const float *activation,
                               const float *slope, int64_t entries, const float *error, const float *centered,
                               int64_t stride, float parallel, rsae_adam a) {
    float d_encoder[RSAE_COLUMNS], d_decoder[RSAE_COLUMNS];
    gradients(d_encoder, d_decoder, width, token, activation, slope, entries, error, centered, stride);
    if (rows.gradient_encoder)
        for (int64_t c = 0; c < width; c++) d_encoder[c] += rows.gradient_encoder[c];
    if (rows.gradient_decoder)
        for (int64_t c = 0; c < width; c++) d_decoder[c] += rows.gradient_decoder[c];
    if (parallel != 0)
        for (int64_t c = 0; c < width; c++) d_decoder[c] += parallel * rows.decoder[c];
    adam(rows.encoder, rows.encoder_first, rows.encoder_second, d_encoder, width, a);
    adam(rows.decoder, rows.decoder_first, rows.decoder_second, d_decoder, width, a);
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
