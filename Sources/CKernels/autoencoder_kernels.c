#include "autoencoder_kernels.h"

#include <math.h>
#include <string.h>

#define CLONES __attribute__((target_clones("avx512f", "avx2", "default")))
#define INLINE static inline __attribute__((always_inline))

// Sixteen floats: one register with AVX-512, two with AVX2, four in baseline x86-64. `lanes` may lie anywhere.
typedef float lanes __attribute__((vector_size(64), aligned(4), may_alias));
typedef int32_t mask __attribute__((vector_size(64)));

#define LOAD(p) (*(const lanes *)(p))
#define STORE(p, v) (*(lanes *)(p) = (v))

// Sixteen answers as bits: the lowest bit is the first lane's.
typedef _Bool answers __attribute__((ext_vector_type(16)));
#define BITS(m) __builtin_bit_cast(uint16_t, __builtin_convertvector((m), answers))

// The lanes added in a fixed tree.
#define SUM(v)                                                                                                        \
    ((((v)[0] + (v)[8]) + ((v)[4] + (v)[12])) + (((v)[2] + (v)[10]) + ((v)[6] + (v)[14])) +                           \
     ((((v)[1] + (v)[9]) + ((v)[5] + (v)[13])) + (((v)[3] + (v)[11]) + ((v)[7] + (v)[15]))))

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

CLONES void rsae_standardise(const float *x, int64_t d, float *out, float *mean, float *std) {
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
    const float divisor = sigma + 1e-6f;
    for (i = 0; i < d; i++) out[i] = (x[i] - mu) / divisor;
    *mean = mu;
    *std = sigma;
}

// The value at place `n` (0 = largest) of `v`, which is reordered (Hoare's selection, middle pivot).
INLINE float select_largest(float *v, int64_t count, int64_t n) {
    int64_t low = 0, high = count - 1;
    while (low < high) {
        const float a = v[low], b = v[low + (high - low) / 2], c = v[high];
        const float pivot = a > b ? (b > c ? b : (a > c ? c : a)) : (a > c ? a : (b > c ? c : b));
        int64_t i = low, j = high;
        while (i <= j) {
            while (v[i] > pivot) i++;
            while (v[j] < pivot) j--;
            if (i <= j) {
                const float t = v[i];
                v[i++] = v[j];
                v[j--] = t;
            }
        }
        if (n <= j) high = j;
        else if (n >= i) low = i;
        else return v[n];
    }
    return v[n];
}

// Writes one maximum of value + bias for every group of up to 16 elements: lane-wise over 16 vectors, so that no vector
// is ever reduced across its lanes. Returns the number of maxima.
INLINE int64_t group_maxima(const float *values, const float *bias, int64_t m, float *maxima) {
    int64_t groups = 0, start = 0;
    for (; start + 16 <= m; start += 256) {
        const int64_t end = start + 256 <= m ? start + 256 : m / 16 * 16;
        lanes best = LOAD(values + start) + LOAD(bias + start);
        for (int64_t i = start; i < end; i += 16)
            best = __builtin_elementwise_max(best, LOAD(values + i) + LOAD(bias + i));
        STORE(maxima + groups, best);
        groups += 16;
    }
    for (int64_t i = m / 16 * 16; i < m; i++) maxima[groups++] = values[i] + bias[i];
    return groups;
}

// Writes down all elements whose value + bias is at least `bound`, and where they are. Returns how many there are, or -1
// if a sum is NaN. Two places are noted for every vector, hits or none, since a branch on what is found would be guessed
// wrong half the time.
INLINE int64_t candidates_above(const float *values, const float *bias, int64_t m, float bound, float *candidate,
                                int32_t *position) {
    int64_t count = 0, i = 0;
    mask unordered = {0};
    for (; i + 16 <= m; i += 16) {
        const lanes v = LOAD(values + i) + LOAD(bias + i);
        unordered |= v != v;
        const uint32_t hits = BITS(v >= bound), later = hits & (hits - 1);
        position[count] = (int32_t)i + __builtin_ctz(hits | 0x10000);
        position[count + 1] = (int32_t)i + __builtin_ctz(later | 0x10000);
        int64_t place = count + 2;
        for (uint32_t more = later & (later - 1); __builtin_expect(more != 0, 0); more &= more - 1)
            position[place++] = (int32_t)i + __builtin_ctz(more);
        count += __builtin_popcount(hits);
    }
    int nan = __builtin_reduce_or(unordered) != 0;
    for (; i < m; i++) {
        const float v = values[i] + bias[i];
        nan |= v != v;
        position[count] = (int32_t)i;
        count += v >= bound;
    }
    for (int64_t c = 0; c < count; c++) candidate[c] = values[position[c]] + bias[position[c]];
    return nan ? -1 : count;
}

// How many of `count` keys, padded to a multiple of 16 with INT32_MIN, are at least `least`.
INLINE int64_t count_at_least(const int32_t *key, int64_t count, int32_t least) {
    int64_t hits = 0;
    for (int64_t c = 0; c < count; c += 16) {
        mask v;
        memcpy(&v, key + c, sizeof v);
        hits += __builtin_popcount(BITS(v >= least));
    }
    return hits;
}

// The k-th largest of `count` numbers, by halving the range of their bits: no branch depends on a single number. `key`
// has room for count + 16.
INLINE float kth_largest(const float *candidate, int64_t count, int64_t k, int32_t *key) {
    int32_t low = INT32_MAX, high = INT32_MIN;
    for (int64_t c = 0; c < count; c++) {
        const float v = candidate[c] + 0.0f; // -0 becomes 0, which it equals
        int32_t bits;
        memcpy(&bits, &v, 4);
        bits ^= (bits >> 31) & INT32_MAX; // ordered as the numbers are
        key[c] = bits;
        low = bits < low ? bits : low;
        high = bits > high ? bits : high;
    }
    for (int64_t c = count; c % 16; c++) key[c] = INT32_MIN;
    while (low < high) {
        const int32_t middle = (int32_t)((uint32_t)low + ((uint32_t)high - (uint32_t)low) / 2 + 1);
        const int64_t above = count_at_least(key, count, middle);
        if (above >= k) low = middle;
        else high = middle - 1;
        if (above == k) {
            // The k largest are found; the least of them is the answer.
            int32_t least = INT32_MAX;
            for (int64_t c = 0; c < count; c++) least = key[c] >= middle && key[c] < least ? key[c] : least;
            low = least;
            break;
        }
    }
    const int32_t bits = low ^ ((low >> 31) & INT32_MAX);
    float result;
    memcpy(&result, &bits, 4);
    return result;
}

CLONES float rsae_top_k(const float *values, const float *bias, int64_t m, int64_t k, float guess, int32_t *index,
                        float *activation, float *scratch) {
    float *candidate = scratch;
    int32_t *key = (int32_t *)(scratch + m + 16);
    int32_t *position = (int32_t *)(scratch + 2 * (m + 16));

    int64_t count = guess > -INFINITY ? candidates_above(values, bias, m, guess, candidate, position) : 0;
    if (count >= 0 && count < k) {
        const int64_t groups = group_maxima(values, bias, m, candidate);
        // The k-th largest of the maxima is a lower bound of the k-th largest value.
        const float bound = groups >= k ? select_largest(candidate, groups, k - 1) : -INFINITY;
        count = candidates_above(values, bias, m, bound, candidate, position);
    }
    if (count < 0) {
        for (int64_t i = 0; i < k; i++) {
            index[i] = 0;
            activation[i] = NAN;
        }
        return -INFINITY;
    }
    const float threshold = kth_largest(candidate, count, k, key);
    int64_t above = 0, n = 0;
    for (int64_t c = 0; c < count; c++) above += candidate[c] > threshold;
    int64_t equal = k - above;
    for (int64_t c = 0; c < count && n < k; c++) {
        const int chosen = candidate[c] > threshold || (candidate[c] == threshold && equal > 0);
        equal -= candidate[c] == threshold;
        index[n] = position[c];
        activation[n] = candidate[c];
        n += chosen;
    }
    return threshold;
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
