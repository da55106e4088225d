#include "autoencoder_kernels.h"
#include "lanes.h"
#include "positions.h"

// A NaN passes through the three activation functions, so that the loss shows it.

CLONES void rsae_relu(const float *product, const float *bias, int64_t m, float *out) {
    for (int64_t j = 0; j < m; j++) {
        const float a = product[j] + bias[j];
        out[j] = a <= 0 ? 0 : a;
    }
}

CLONES void rsae_gated(const float *product, const float *gate_bias, const float *magnitude,
                       const float *magnitude_bias, int64_t m, float *out) {
    for (int64_t j = 0; j < m; j++) {
        const float gate = product[j] + gate_bias[j];
        const float size = magnitude[j] * product[j] + magnitude_bias[j];
        out[j] = gate <= 0 || size <= 0 ? 0 : size;
    }
}

CLONES void rsae_jump_relu(const float *product, const float *bias, const float *threshold, int64_t m, float *out) {
    for (int64_t j = 0; j < m; j++) {
        const float a = product[j] + bias[j];
        out[j] = a <= threshold[j] ? 0 : a;
    }
}

CLONES int64_t rsae_above(const float *product, const float *bias, const float *bound, int64_t m, int32_t *index,
                          float *value) {
    const int64_t count = positions(product, bias, bound, 1, 1, m, index);
    for (int64_t i = 0; i < count; i++) value[i] = product[index[i]];
    return count;
}

void rsae_group_max(const float *values, const float *bias, int64_t m, int64_t k, int32_t *index, float *activation) {
    const int64_t run = m / k;
    for (int64_t group = 0; group < k; group++) {
        int64_t best = group * run;
        float largest = values[best] + bias[best];
        for (int64_t j = best + 1; j < (group + 1) * run; j++) {
            const float a = values[j] + bias[j];
            // Written so that a NaN, once met, stays.
            if (a > largest || (a != a && largest == largest)) {
                largest = a;
                best = j;
            }
        }
        index[group] = (int32_t)best;
        activation[group] = largest;
    }
}

CLONES void rsae_relu_slopes(const float *z, const float *price, int64_t m, float *restrict slope,
                             float *restrict fired, float *restrict size, float *restrict bias) {
    for (int64_t j = 0; j < m; j++) {
        const float fires = z[j] != 0 ? 1.0f : 0.0f;
        const float s = z[j] != 0 ? slope[j] + price[j] : 0;
        slope[j] = s;
        fired[j] += fires;
        size[j] += z[j];
        bias[j] += s;
    }
}

CLONES void rsae_gated_slopes(const float *product, const float *z, const float *gate_bias, const float *magnitude,
                              const float *gate_slope, float price, int64_t m, float *restrict slope,
                              float *restrict fired, float *restrict size, float *restrict d_gate,
                              float *restrict d_magnitude_bias, float *restrict d_scale) {
    for (int64_t j = 0; j < m; j++) {
        const float fires = z[j] != 0 ? 1.0f : 0.0f;
        const float gate = product[j] + gate_bias[j];
        const float open = gate > 0 ? 1.0f : 0.0f;
        // The reference has no gradient through the gate and prices the activation itself.
        const float of_gate = gate_slope ? open * (gate_slope[j] + price) : 0;
        const float of_magnitude = fires * (gate_slope ? slope[j] : slope[j] + price);
        slope[j] = of_magnitude * magnitude[j] + of_gate;
        fired[j] += fires;
        size[j] += gate_slope ? open * gate : z[j];
        d_gate[j] += of_gate;
        d_magnitude_bias[j] += of_magnitude;
        d_scale[j] += of_magnitude * magnitude[j] * product[j];
    }
}

CLONES void rsae_jump_slopes(const float *product, const float *bias, const float *threshold, float inverse_bandwidth,
                             float price, int reference, int64_t m, float *restrict slope, float *restrict fired,
                             float *restrict size, float *restrict d_bias, float *restrict d_threshold) {
    const float half = 0.5f / inverse_bandwidth;
    for (int64_t j = 0; j < m; j++) {
        const float a = product[j] + bias[j], theta = threshold[j];
        const float fires = a > theta ? 1.0f : 0.0f;
        const float counted = reference ? fires * a : a;
        const float near = __builtin_fabsf(a - theta) < half ? inverse_bandwidth : 0;
        const float near_counted = __builtin_fabsf(counted - theta) < half ? inverse_bandwidth : 0;
        const float toward = -(near * theta * slope[j] + near_counted * price);
        const float s = fires * slope[j];
        slope[j] = s;
        fired[j] += fires;
        size[j] += counted > theta ? 1.0f : 0.0f;
        d_bias[j] += s;
        // The corrected parameter is log theta.
        d_threshold[j] += reference ? toward : toward * theta;
    }
}
