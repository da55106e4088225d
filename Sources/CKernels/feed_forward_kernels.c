// The functions of feed-forward layers.
#include "elementary_functions.h"
#include "transformer_kernels.h"

#include <string.h>

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

INLINE void swiglu_lanes(lanes *gate, const lanes *value) {
    lanes e = -*gate;
    exp_lanes(&e);
    *gate = *gate / (1.0f + e) * *value;
}

CLONES void rsae_swiglu(float *gates, int64_t stride, int64_t count, int64_t width, const float *values) {
    for (int64_t r = 0; r < count; r++) {
        float *gate = gates + r * stride;
        const float *value = values + r * stride;
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

