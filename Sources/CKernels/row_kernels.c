// What a layer does to rows by themselves before and after its products: norms, biases, factors, and positions.
#include "elementary_functions.h"
#include "transformer_kernels.h"

#include <math.h>
#include <stddef.h>

INLINE void norm_row(const float *x, int64_t d, const float *weight, float epsilon, float *out) {
    lanes s0 = {0}, s1 = {0};
    int64_t i = 0;
    for (; i + 2 * WIDTH <= d; i += 2 * WIDTH) {
        const lanes a = LOAD(x + i), b = LOAD(x + i + WIDTH);
        s0 += a * a;
        s1 += b * b;
    }
    for (; i + WIDTH <= d; i += WIDTH) s0 += LOAD(x + i) * LOAD(x + i);
    s0 += s1;
    float squares = SUM(s0);
    for (; i < d; i++) squares += x[i] * x[i];
    const float scale = 1.0f / sqrtf(squares / (float)d + epsilon);
    for (i = 0; i < d; i++) out[i] = weight[i] * (x[i] * scale);
}

CLONES void rsae_rms_norm(const float *x, int64_t stride, int64_t rows, int64_t d, const float *weight, float epsilon,
                          float *out, int64_t out_stride) {
    for (int64_t r = 0; r < rows; r++) norm_row(x + r * stride, d, weight, epsilon, out + r * out_stride);
}

INLINE void layer_norm_row(const float *x, int64_t d, const float *weight, const float *bias, float epsilon,
                           float *out) {
    lanes s0 = {0};
    int64_t i = 0;
    for (; i + WIDTH <= d; i += WIDTH) s0 += LOAD(x + i);
    float total = SUM(s0);
    for (; i < d; i++) total += x[i];
    const float mean = total / (float)d;
    s0 = (lanes){0};
    for (i = 0; i + WIDTH <= d; i += WIDTH) {
        const lanes difference = LOAD(x + i) - mean;
        s0 += difference * difference;
    }
    float squares = SUM(s0);
    for (; i < d; i++) squares += (x[i] - mean) * (x[i] - mean);
    const float scale = 1.0f / sqrtf(squares / (float)d + epsilon);
    if (weight && bias) {
        for (i = 0; i < d; i++) out[i] = (x[i] - mean) * scale * weight[i] + bias[i];
    } else if (weight) {
        for (i = 0; i < d; i++) out[i] = (x[i] - mean) * scale * weight[i];
    } else {
        for (i = 0; i < d; i++) out[i] = (x[i] - mean) * scale;
    }
}

CLONES void rsae_layer_norm(const float *x, int64_t stride, int64_t rows, int64_t d, const float *weight,
                            const float *bias, float epsilon, float *out, int64_t out_stride) {
    for (int64_t r = 0; r < rows; r++) {
        layer_norm_row(x + r * stride, d, weight, bias, epsilon, out + r * out_stride);
    }
}

CLONES void rsae_add_scaled_rows(float *rows, int64_t stride, int64_t count, int64_t width, const float *x,
                            int64_t x_stride, float scale) {
    for (int64_t r = 0; r < count; r++) {
        float *row = rows + r * stride;
        const float *other = x + r * x_stride;
        for (int64_t i = 0; i < width; i++) row[i] += scale * other[i];
    }
}

CLONES void rsae_add_bias(float *rows, int64_t stride, int64_t count, int64_t width, const float *bias) {
    for (int64_t r = 0; r < count; r++) {
        float *row = rows + r * stride;
        for (int64_t i = 0; i < width; i++) row[i] += bias[i];
    }
}

CLONES void rsae_rotate(float *rows, int64_t stride, int64_t count, int64_t heads, int64_t head_dim,
                        int64_t rotated, const float *norm, float epsilon, const int32_t *row, const float *cosine,
                        const float *sine) {
    const int64_t half = rotated / 2;
    for (int64_t r = 0; r < count; r++) {
        const float *c = half ? cosine + row[r] * half : NULL, *s = half ? sine + row[r] * half : NULL;
        for (int64_t h = 0; h < heads; h++) {
            float *head = rows + r * stride + h * head_dim;
            if (norm) norm_row(head, head_dim, norm, epsilon, head);
            int64_t i = 0;
            for (; i + WIDTH <= half; i += WIDTH) {
                const lanes a = LOAD(head + i), b = LOAD(head + half + i), ci = LOAD(c + i), si = LOAD(s + i);
                STORE(head + i, a * ci - b * si);
                STORE(head + half + i, b * ci + a * si);
            }
            for (; i < half; i++) {
                const float a = head[i], b = head[half + i];
                head[i] = a * c[i] - b * s[i];
                head[half + i] = b * c[i] + a * s[i];
            }
        }
    }
}

CLONES void rsae_multiply_rows(float *rows, int64_t stride, int64_t count, int64_t width, const float *x,
                               int64_t x_stride) {
    for (int64_t r = 0; r < count; r++) {
        float *row = rows + r * stride;
        const float *other = x + r * x_stride;
        for (int64_t i = 0; i < width; i++) row[i] *= other[i];
    }
}

