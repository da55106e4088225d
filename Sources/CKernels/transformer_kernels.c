#include "transformer_kernels.h"
#include "lanes.h"

#include <math.h>
#include <string.h>

#define WIDTH 16

// `a` where the mask is set, else `b`.
#define SELECT(where, a, b) ((lanes)(((where) & (mask)(a)) | (~(where) & (mask)(b))))

// exp(x) = 2^n * exp(r) with n = round(x / ln 2) and r = x - n * ln 2, |r| <= 0.347. ln 2 is taken in two parts, the
// first of which has so few bits that n times it is exact; exp(r) is its Taylor polynomial of degree 7, whose first
// omitted term is below 6e-9. (Vectors go in and out through memory: passed by value they would have a calling
// convention that differs between the clones, which the compiler refuses even for functions it inlines.)
INLINE void exp_lanes(lanes *lane) {
    lanes x = *lane;
    const lanes low = (lanes){0} - 87.33f, high = (lanes){0} + 88.37f;
    x = SELECT(x < low, low, x);
    x = SELECT(x > high, high, x);
    // Adding 1.5 * 2^23 leaves the rounded quotient in the lowest bits, whence it is moved to the exponent.
    const lanes shifted = x * 1.44269504f + 12582912.0f;
    const lanes n = shifted - 12582912.0f;
    const lanes r = (x - n * 0.693359375f) + n * 2.12194440e-4f;
    lanes p = r * (1.0f / 5040) + 1.0f / 720;
    p = p * r + 1.0f / 120;
    p = p * r + 1.0f / 24;
    p = p * r + 1.0f / 6;
    p = p * r + 0.5f;
    p = p * (r * r) + r;
    const lanes power = (lanes)(((mask)shifted << 23) + 0x3f800000);
    *lane = p * power + power;
}

CLONES void rsae_exp(const float *x, float *out, int64_t n) {
    int64_t i = 0;
    for (; i + WIDTH <= n; i += WIDTH) {
        lanes e = LOAD(x + i);
        exp_lanes(&e);
        STORE(out + i, e);
    }
    if (i < n) {
        lanes e = {0};
        memcpy(&e, x + i, (size_t)(n - i) * sizeof(float));
        exp_lanes(&e);
        memcpy(out + i, &e, (size_t)(n - i) * sizeof(float));
    }
}

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

// tanh: below 0.625 by x + x * z * p(z) with z = x^2 (p fitted for the smallest relative error, 6e-9), from there on by
// 1 - 2 / (exp(2x) + 1), which would cancel near 0.
INLINE void tanh_lanes(lanes *lane) {
    const lanes x = *lane;
    const lanes magnitude = SELECT(x < 0, -x, x);
    const lanes z = x * x;
    lanes p = z * 2.266391418e-3f - 8.320053472e-3f;
    p = p * z + 2.176139553e-2f;
    p = p * z - 5.395830137e-2f;
    p = p * z + 1.333329933e-1f;
    p = p * z - 3.333333314e-1f;
    const lanes small = p * z * x + x;
    lanes e = magnitude + magnitude;
    exp_lanes(&e);
    const lanes large = 1.0f - 2.0f / (e + 1.0f);
    *lane = SELECT(magnitude < 0.625f, small, SELECT(x < 0, -large, large));
}

// Half the error function's complement at t >= 1, by exp(-t^2) * q(1 / (1 + t / 2)); half the error function below, by
// t * p(t^2). Both fitted for the smallest relative error, below 2e-10.
INLINE void gelu_lanes(lanes *lane) {
    const lanes x = *lane;
    const lanes magnitude = SELECT(x < 0, -x, x);
    const lanes t = magnitude * 0.707106781f;
    const lanes z = t * t;
    lanes p = z * -9.641509854e-6f + 1.125694558e-4f;
    p = p * z - 8.482828496e-4f;
    p = p * z + 5.220945406e-3f;
    p = p * z - 2.686540003e-2f;
    p = p * z + 1.128378197e-1f;
    p = p * z - 3.761263843e-1f;
    p = p * z + 1.128379167f;
    const lanes inner = 0.5f * (t * p);
    const lanes u = 1.0f / (1.0f + 0.5f * t);
    lanes q = u * 1.711659127e-2f + 5.188505487e-2f;
    q = q * u - 3.559042061e-1f;
    q = q * u + 4.516889518e-1f;
    q = q * u - 3.673313393e-2f;
    q = q * u + 3.223796583e-1f;
    q = q * u + 2.656738947e-1f;
    q = q * u + 2.841141514e-1f;
    q = q * u - 1.079996396e-4f;
    lanes e = -z;
    exp_lanes(&e);
    const lanes tail = SELECT(t < 1.0f, 0.5f - inner, 0.5f * (e * q));
    *lane = x * SELECT(x < 0, tail, 1.0f - tail);
}

// 0.5 * x * (1 + tanh(u)) is x / (1 + exp(-2u)), u = sqrt(2 / pi) * (x + 0.044715 * x^3).
INLINE void gelu_tanh_lanes(lanes *lane) {
    const lanes x = *lane;
    lanes e = x * (-1.595769122f - 0.0713548163f * (x * x));
    exp_lanes(&e);
    *lane = x / (1.0f + e);
}

INLINE void silu_lanes(lanes *lane) {
    lanes e = -*lane;
    exp_lanes(&e);
    *lane = *lane / (1.0f + e);
}

INLINE void relu_lanes(lanes *lane) { *lane = SELECT(*lane > 0, *lane, (lanes){0}); }

#define ACTIVATE_ROWS(function)                                                                                       \
    for (int64_t r = 0; r < count; r++) {                                                                             \
        float *row = rows + r * stride;                                                                               \
        int64_t i = 0;                                                                                                \
        for (; i + WIDTH <= width; i += WIDTH) {                                                                      \
            lanes x = LOAD(row + i);                                                                                  \
            function(&x);                                                                                             \
            STORE(row + i, x);                                                                                        \
        }                                                                                                             \
        if (i < width) {                                                                                              \
            lanes x = {0};                                                                                            \
            memcpy(&x, row + i, (size_t)(width - i) * sizeof(float));                                                 \
            function(&x);                                                                                             \
            memcpy(row + i, &x, (size_t)(width - i) * sizeof(float));                                                 \
        }                                                                                                             \
    }

CLONES void rsae_activate(float *rows, int64_t stride, int64_t count, int64_t width, int32_t activation) {
    switch (activation) {
    case RSAE_SILU: ACTIVATE_ROWS(silu_lanes) break;
    case RSAE_GELU: ACTIVATE_ROWS(gelu_lanes) break;
    case RSAE_GELU_TANH: ACTIVATE_ROWS(gelu_tanh_lanes) break;
    case RSAE_RELU: ACTIVATE_ROWS(relu_lanes) break;
    default: break;
    }
}

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

CLONES void rsae_multiply_rows(float *rows, int64_t stride, int64_t count, int64_t width, const float *x,
                               int64_t x_stride) {
    for (int64_t r = 0; r < count; r++) {
        float *row = rows + r * stride;
        const float *other = x + r * x_stride;
        for (int64_t i = 0; i < width; i++) row[i] *= other[i];
    }
}

INLINE void swiglu_lanes(lanes *gate, const lanes *value) {
    lanes e = -*gate;
    exp_lanes(&e);
    *gate = *gate / (1.0f + e) * *value;
}

CLONES void rsae_swiglu(float *rows, int64_t stride, int64_t count, int64_t width) {
    for (int64_t r = 0; r < count; r++) {
        float *gate = rows + r * stride;
        const float *value = gate + width;
        int64_t i = 0;
        for (; i + WIDTH <= width; i += WIDTH) swiglu_lanes((lanes *)(gate + i), (const lanes *)(value + i));
        if (i < width) {
            lanes a = {0}, b = {0};
            const size_t rest = (size_t)(width - i) * sizeof(float);
            memcpy(&a, gate + i, rest);
            memcpy(&b, value + i, rest);
            swiglu_lanes(&a, &b);
            memcpy(gate + i, &a, rest);
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

INLINE float softmax_row(float *score, int64_t columns, int64_t from, int64_t to) {
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
    const float top = largest_lane(&largest);

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
    return 1.0f / SUM(sum);
}

CLONES void rsae_causal_softmax(float *scores, int64_t stride, int64_t queries, int64_t group, int64_t columns,
                                int64_t first, int64_t window, float *inverse_sum) {
    for (int64_t q = 0; q < queries; q++) {
        const int64_t to = first + q + 1, from = to > window ? to - window : 0;
        for (int64_t h = 0; h < group; h++) {
            const int64_t r = q * group + h;
            inverse_sum[r] = softmax_row(scores + r * stride, columns, from, to);
        }
    }
}

CLONES void rsae_scale_heads(const float *tile, int64_t queries, int64_t group, int64_t head_dim, const float *scale,
                             float *out, int64_t out_stride) {
    for (int64_t q = 0; q < queries; q++) {
        for (int64_t h = 0; h < group; h++) {
            const float *from = tile + (q * group + h) * head_dim;
            float *to = out + q * out_stride + h * head_dim;
            const float factor = scale[q * group + h];
            for (int64_t i = 0; i < head_dim; i++) to[i] = from[i] * factor;
        }
    }
}

CLONES int64_t rsae_first_non_finite(const float *x, int64_t n) {
    // Exponent bits all set means infinity or NaN; compared as integers, which no option for the arithmetic undoes.
    for (int64_t block = 0; block < n; block += 4096) {
        const int64_t end = n - block < 4096 ? n : block + 4096;
        uint32_t bad = 0;
        for (int64_t i = block; i < end; i++) {
            uint32_t bits;
            memcpy(&bits, x + i, sizeof bits);
            bad |= (uint32_t)((bits & 0x7f800000u) == 0x7f800000u);
        }
        for (int64_t i = block; bad && i < end; i++) {
            uint32_t bits;
            memcpy(&bits, x + i, sizeof bits);
            if ((bits & 0x7f800000u) == 0x7f800000u) return i;
        }
    }
    return -1;
}

// Floats are added in lanes for this many vectors at most, then in double, so that a large vocabulary costs no digits.
#define RUN 64

// Missing lanes of the last vector are filled with what adds nothing.
INLINE void load_part(const float *x, int64_t n, int64_t i, float missing, lanes *out) {
    if (i + WIDTH <= n) {
        *out = LOAD(x + i);
        return;
    }
    *out = (lanes){0} + missing;
    memcpy(out, x + i, (size_t)(n - i) * sizeof(float));
}

CLONES double rsae_log_sum_exp(const float *x, int64_t n) {
    lanes tops = (lanes){0} + x[0];
    for (int64_t i = 0; i < n; i += WIDTH) {
        lanes next;
        load_part(x, n, i, x[0], &next);
        tops = SELECT(next > tops, next, tops);
    }
    float top = tops[0];
    for (int i = 1; i < WIDTH; i++) top = tops[i] > top ? tops[i] : top;
    double total = 0;
    for (int64_t start = 0; start < n; start += RUN * WIDTH) {
        const int64_t end = start + RUN * WIDTH < n ? start + RUN * WIDTH : n;
        lanes sum = {0};
        for (int64_t i = start; i < end; i += WIDTH) {
            lanes e;
            // exp of the lowest argument, 1e-38, is nothing beside the largest's 1.
            load_part(x, n, i, top - 100, &e);
            e -= top;
            exp_lanes(&e);
            sum += e;
        }
        total += SUM(sum);
    }
    return top + log(total);
}

CLONES double rsae_divergence(const float *a, const float *b, int64_t n, double log_a, double log_b) {
    const float shift = (float)log_a;
    double total = 0;
    for (int64_t start = 0; start < n; start += RUN * WIDTH) {
        const int64_t end = start + RUN * WIDTH < n ? start + RUN * WIDTH : n;
        lanes sum = {0};
        for (int64_t i = start; i < end; i += WIDTH) {
            lanes p, q;
            load_part(a, n, i, 0, &p);
            load_part(b, n, i, 0, &q);
            const lanes difference = p - q;
            p -= shift;
            exp_lanes(&p);
            sum += p * difference;
        }
        total += SUM(sum);
    }
    return total - log_a + log_b;
}
